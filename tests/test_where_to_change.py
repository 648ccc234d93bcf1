"""docs/where-to-change.md and the folder tables of docs/architecture.md show the tree as it is."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "where-to-change.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = (PAGE, ARCHITECTURE, *(ROOT / "docs" / f"{name}.md" for name in ("guarantees", "plugin-stability")))
"""Pages that name files. On the others what looks like a path is often a media type."""
PACKAGES = {
    path.parent.name: path
    for pattern in ("services/*/forgesyte_*", "plugins/*/forgesyte_*")
    for path in ROOT.glob(pattern)
    if path.is_dir()
}
LEAST_ROWS = 20
FLAT = {"sdk", "motion-detector"}
"""Rooms that have a sentence and no table."""

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_FILE = re.compile(r"[\w.][\w./-]*(?:/|\.(?:py|md|mjs|tsx?|toml|lock|txt|sh)|/\.?\w+)|Makefile")
_NAME_ALONE = {"settings.py", "pyproject.toml", "__init__.py"}
"""Which of them is meant, the sentence says."""


def rows_of(text: str) -> list[list[str]]:
    """The cells of every table row, without heads and rules."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.split("|")]
        for line, below in pairwise([*lines, ""])
        if not is_rule(line) and not is_rule(below)
    ]


def is_rule(line: str) -> bool:
    """Whether it is the line of dashes below a table's head."""
    return "-" in line and set(line) <= set("-| ")


def paths_in(text: str) -> list[str]:
    """Everything in backticks that is a path of the repository."""
    return [code for code in _CODE.findall(_FENCE.sub("", text)) if _FILE.fullmatch(code) and code not in _NAME_ALONE]


def exists(path: str) -> bool:
    """Whether a path is there, from the root or, when it begins with a room, in the room's package or folder."""
    room, _, rest = path.partition("/")
    places = [ROOT / path]
    if room in PACKAGES:
        places += [PACKAGES[room] / rest, PACKAGES[room].parent / rest]
    return any(place.is_dir() if path.endswith("/") else place.exists() for place in places)


def folders_of(package: Path) -> set[str]:
    """The folders of a package as the page writes them: `child/media/`."""
    return {f"{path.parent.relative_to(package)}/" for path in package.rglob("__init__.py") if path.parent != package}


def test_the_table_has_enough_rows():
    assert len(rows_of(PAGE.read_text())) >= LEAST_ROWS


@pytest.mark.parametrize("row", rows_of(PAGE.read_text()), ids=lambda row: row[0])
def test_a_row_names_files_that_exist_and_a_check(row):
    change, touch, told = row

    assert change
    assert paths_in(touch)
    assert paths_in(told)
    assert [path for path in paths_in(touch + told) if not exists(path)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_every_link_of_the_page_exists(page):
    text = page.read_text()
    # The tables of the architecture write folders as they are called inside their room.
    told = "\n".join(line for line in text.splitlines() if page != ARCHITECTURE or not line.startswith("|"))
    links = re.findall(r"\]\(([^)#:]+)\)", text)

    assert [path for path in paths_in(told) if not exists(path) and path not in folders_everywhere()] == []
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def folders_everywhere() -> set[str]:
    return {folder for package in PACKAGES.values() for folder in folders_of(package)}


@pytest.mark.parametrize("room", sorted(set(PACKAGES) - FLAT))
def test_every_folder_of_a_package_stands_in_the_architecture(room):
    section = ARCHITECTURE.read_text().partition(f"\n### {room}\n")[2].partition("\n#")[0]
    rows = [row for row in rows_of(section) if row[0] != "(root)"]

    assert {row[0].strip("`") for row in rows} == folders_of(PACKAGES[room])
    assert all(len(row) == 3 and all(row) for row in rows)


def test_a_flat_room_has_no_folders():
    assert [room for room in FLAT if folders_of(PACKAGES[room])] == []


@pytest.mark.parametrize("path", ["job-api/routes/nowhere.py", "tests/nowhere/", "docs/api.md/", "nowhere.py"])
def test_a_path_that_is_not_there_is_missed(path):
    assert paths_in(f"`{path}`") == [path]
    assert not exists(path)


@pytest.mark.parametrize(
    "code", ["/v1/jobs", "forgesyte plugins list", "Order", "log.info(1)", "closed()", "settings.py"]
)
def test_what_is_no_path_is_not_looked_for(code):
    assert paths_in(f"`{code}`") == []
