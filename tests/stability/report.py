"""The matrix as a table, for people: what was promised, what was found, how late, what was left."""

from dataclasses import dataclass

HEADS = ("fault", "promised", "found", "over s", "left", "parent", "beside", "after", "")


@dataclass(slots=True)
class Line:
    """One row of the printed matrix; `over_s` is None where no time is promised."""

    fault: str
    promised: str
    found: str = "-"
    over_s: float | None = None
    left: str = "-"
    parent: str = "-"
    beside: str = "-"
    after: str = "-"
    verdict: str = "BROKEN"

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        over = "" if self.over_s is None else f"{self.over_s:.2f}"
        found = self.found if len(self.found) <= 72 else self.found[:71] + "…"
        return (self.fault, self.promised, found, over, self.left, self.parent, self.beside, self.after, self.verdict)


def table(lines: list[Line]) -> list[str]:
    """The matrix as lines of text, a count of what is broken last."""
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    broken = sum(line.verdict != "ok" for line in lines)
    latest = max((line.over_s for line in lines if line.over_s is not None), default=0.0)
    return [*text, f"{len(lines)} faults, {broken} broken promises, latest verdict {latest:.2f} s over its limit"]
