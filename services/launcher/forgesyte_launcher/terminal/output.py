"""What the command prints: answers to stdout, everything about the way there to stderr, so that stdout can be piped.

An answer that cannot be written ends the command with a sentence. A line about the way there that cannot be written is
lost and ends nothing: a server or a job must not depend on the disk to which its messages are redirected.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forgesyte_contracts.problems import Code, ForgeSyteError

_UNLIMITED_WIDTH = 4096


class _Answers(Console):
    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401 - as Console has it
        with _answering():
            super().print(*objects, **options)


class _Notes(Console):
    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401 - as Console has it
        with suppress(OSError):
            super().print(*objects, **options)


def stdout() -> Console:
    """Return the console for answers; made at each call, because tests and pipes swap the stream underneath."""
    return _Answers(soft_wrap=True)


def stderr() -> Console:
    """Return the console for progress and errors."""
    return _Notes(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print one plain line of an answer."""
    stdout().print(text, markup=False, highlight=False)


def warn(text: str) -> None:
    """Print one plain line to stderr."""
    stderr().print(text, markup=False, highlight=False)


def say_document(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a JSON document for a program to read: indented, in ASCII, without colour even on a terminal."""
    with _answering():
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
        sys.stdout.flush()


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


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError as error:
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:  # or the flush at the exit would fail once more
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        text = f"the answer cannot be written to standard output: {error.strerror}."
        raise ForgeSyteError(Code.STORAGE_FULL, text) from error
