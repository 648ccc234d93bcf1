"""The matrix as a table, for people: what was promised, what was found, how late, what was left."""

from dataclasses import dataclass

HEADS = ("fault", "promised", "found", "degraded", "over s", "left", "parent", "beside", "after", "")


@dataclass(slots=True)
class Line:
    """One row of the printed matrix.

    Attributes:
        found: with the wall.
        degraded: without Landlock and without a uid of its own; `-` where that was not run.
        over_s: None where no time is promised.
    """

    fault: str
    promised: str
    found: str = "-"
    degraded: str = "-"
    over_s: float | None = None
    left: str = "-"
    parent: str = "-"
    beside: str = "-"
    after: str = "-"
    verdict: str = "BROKEN"

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        over = "" if self.over_s is None else f"{self.over_s:.2f}"
        found, degraded = cut(self.found, 72), cut(self.degraded, 32)
        return (
            self.fault,
            self.promised,
            found,
            degraded,
            over,
            self.left,
            self.parent,
            self.beside,
            self.after,
            self.verdict,
        )


def cut(text: str, length: int) -> str:
    """The beginning of a text."""
    return text if len(text) <= length else text[: length - 1] + "…"


def table(lines: list[Line]) -> list[str]:
    """The matrix as lines of text, a count of what is broken last."""
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    broken = sum("ok" not in line.verdict or "BROKEN" in line.degraded for line in lines)
    latest = max((line.over_s for line in lines if line.over_s is not None), default=0.0)
    return [*text, f"{len(lines)} faults, {broken} broken promises, latest verdict {latest:.2f} s over its limit"]
