"""What the command prints: answers to stdout, everything about the way there to stderr, so that stdout can be piped."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED_WIDTH = 4096


def stdout() -> Console:
    """Return the console for answers; made at each call, because tests and pipes swap the stream underneath."""
    return Console(soft_wrap=True)


def stderr() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print one plain line of an answer."""
    stdout().print(text, markup=False, highlight=False)


def warn(text: str) -> None:
    """Print one plain line to stderr."""
    stderr().print(text, markup=False, highlight=False)


def say_document(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a JSON document for a program to read: indented, in ASCII, without colour even on a terminal."""
    sys.stdout.write(f"{json.dumps(document, indent=2)}\n")


def table(*columns: str, rows: Sequence[tuple[str, ...]], title: str | None = None) -> None:
    """Print a table; without column names it is a framed table of facts.

    Args:
        columns: the column heads.
        rows: one text per column, printed literally: markup in it has no effect.
        title: a line above.
    """
    look: dict[str, Any] = {"box": None, "pad_edge": False} if columns else {"show_header": False}
    drawn = Table(*columns, title=Text(title) if title else None, title_justify="left", header_style="bold", **look)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = stdout()
    if not console.is_terminal:
        # A file or a pipe has no width: nothing is cut or wrapped there.
        console.width = _UNLIMITED_WIDTH
    console.print(drawn)
