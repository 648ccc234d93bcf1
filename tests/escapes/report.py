"""The table of attempts for people: attempt x configuration x what stopped it."""

from typing import Any

Tables = dict[str, dict[str, Any]]
"""By configuration: what the worker wrote."""

WIDTH = 30


def table(user: str, tables: Tables) -> list[str]:
    """Return one user's table as lines of text, counts last; `off` is the control."""
    walled = [name for name in tables if name != "off"]
    rows = tables["off"]["rows"]
    heads = ["attempt", "without the wall", *(f"Landlock {name}" if name.isdigit() else name for name in walled)]
    lines = [heads, *([name, *(cell(tables, at, name) for at in ("off", *walled))] for name in rows)]
    widths = [min(max(len(line[at]) for line in lines), 45) for at in range(len(heads))]
    text = ["  ".join(word[:45].ljust(width) for word, width in zip(line, widths, strict=True)) for line in lines]
    valid = len(valid_rows(tables))
    opened = [f"{name}: {len(passed(tables, name))} got through" for name in walled]
    return [
        *(line.rstrip() for line in text),
        f"as {user}: {len(rows)} attempts, {valid} not void; {', '.join(opened)}",
    ]


def cell(tables: Tables, configuration: str, name: str) -> str:
    """Return what came of an attempt in a configuration."""
    if configuration != "off" and name not in valid_rows(tables):
        return "void"
    row = tables[configuration]["rows"].get(name)
    if row is None:
        return "not run"
    if configuration == "off":
        return "succeeds" if row["succeeded"] else f"void: {row['by']}"
    return "OPEN" if row["succeeded"] else row["by"]


def valid_rows(tables: Tables) -> set[str]:
    """Return the attempts that succeed without the wall."""
    return {name for name, row in tables["off"]["rows"].items() if row["succeeded"]}


def passed(tables: Tables, configuration: str) -> set[str]:
    """Return the attempts that are not void and succeed in a configuration."""
    rows = tables[configuration]["rows"]
    return {name for name in valid_rows(tables) if rows.get(name, {}).get("succeeded", False)}
