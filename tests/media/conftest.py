"""A real zygote for the whole table, and the table itself at the end of the run."""

import inspect
from pathlib import Path

import pytest
import pytest_asyncio

from forgesyte_sandbox.parent.zygote import Zygote

HERE = Path(__file__).parent
LINES = pytest.StashKey[list]()
CASES = pytest.StashKey[list]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def zygote():
    async with Zygote.start(env={"PYTHONPATH": str(HERE / "plugins")}) as zygote:
        yield zygote


@pytest.fixture
def line(request):
    """Add a line to the table that is printed when all tests have run."""
    return request.config.stash.setdefault(LINES, []).append


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE) and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
def cases_table(request):
    """Add a line to the table of cases that is printed when all tests have run."""
    return request.config.stash.setdefault(CASES, []).append


def pytest_terminal_summary(terminalreporter, config):
    if cases := config.stash.get(CASES, []):
        terminalreporter.section(f"media cases through the product: {len(cases)} files")
        for line in cases:
            terminalreporter.write_line(line)
    lines = config.stash.get(LINES, [])
    if lines:
        heads = ("file", "verdict", "container", "codec", "size", "turned", "frames", "first ms", "last ms", "said")
        widths = [max(len(str(row[column])) for row in (heads, *lines)) for column in range(len(heads) - 1)]
        terminalreporter.section(f"media table: {len(lines)} files")
        for row in (heads, *lines):
            cells = [str(cell).ljust(width) for cell, width in zip(row, widths, strict=False)]
            terminalreporter.write_line("  ".join([*cells, str(row[-1])]).rstrip())
