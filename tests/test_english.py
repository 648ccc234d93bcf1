"""Words that this house does not use, in code, comments, tests or pages: each has a plainer one.

A word counts as a whole word, in any case, also where a line break cuts a phrase in two, and inside the name of a test.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLACES = (
    "services", "plugins", "docs", "benchmarks", "tests", ".ci", "README.md", "Makefile",
    "web-ui/src", "web-ui/tests", "web-ui/e2e",
)  # fmt: skip
"""CHANGELOG.md is not among them: what an entry said when it was released stays as it is."""

EXCEPTED = (Path(__file__).resolve(), ROOT / "tests" / "contract" / "data")
"""The list itself, and what an earlier version of the product wrote."""

PLAINER = {
    "can not": "cannot",
    "mend": "fix, repair",
    "mends": "fixes, repairs",
    "mended": "fixed, repaired",
    "anew": "again",
    "for ever": "forever, until ...",
    "held for dead": "considered dead",
    "is away": "is unavailable, is unreachable",
    "nobody": "name who: no runner, no client",
    "somebody": "name who: a client, another process",
    "whoever": "name who: the caller, the clients",
}

# A phrase may be broken over two lines, of a comment too.
_GAP = r"\s+(?:(?:#|//|\*)\s*)?"
_WORDS = "|".join(_GAP.join(word.split()) for word in PLAINER)
_BANNED = re.compile(rf"\b(?:{_WORDS})\b", re.IGNORECASE)
_TEST_NAME = re.compile(r"\bdef (test_\w+)")


def banned_words(text: str) -> list[tuple[int, str]]:
    """Every banned word in a text, with the number of its line."""
    found = [(match.start(), match.group()) for match in _BANNED.finditer(text)]
    for name in _TEST_NAME.finditer(text):
        found += [(name.start(1), match.group()) for match in _BANNED.finditer(name.group(1).replace("_", " "))]
    return [(text.count("\n", 0, start) + 1, " ".join(word.split())) for start, word in sorted(found)]


def text_files() -> Iterator[Path]:
    """Every file of PLACES, apart from what tools leave behind and what is no text."""
    for place in map(ROOT.joinpath, PLACES):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            is_generated = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(place).parts)
            if path.is_file() and not is_generated and not any(map(path.resolve().is_relative_to, EXCEPTED)):
                yield path


def findings_in(path: Path) -> list[str]:
    """`file:line: word` for each banned word in a file; nothing in a file that is no text."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return []
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return [f"{name}:{line}: {word} (write: {PLAINER[plain_form(word)]})" for line, word in banned_words(text)]


def plain_form(word: str) -> str:
    """The entry of PLAINER for a word as it was found."""
    return re.sub(r"[^a-z]+", " ", word.lower())


def test_no_banned_word_stands_in_the_house():
    found = [finding for path in text_files() for finding in findings_in(path)]

    assert not found, "\n" + "\n".join(found)


def test_there_are_files_to_read_in_every_place():
    read = [place for place in PLACES if any(path.is_relative_to(ROOT / place) for path in text_files())]

    assert read == list(PLACES)


@pytest.mark.parametrize("word", PLAINER)
@pytest.mark.parametrize(
    "line",
    [
        "# the plugin {word} go on",
        'raise ValueError("{word}, so it ends")',
        "It is {capitals}.",
        "def test_a_plugin_{name}_be_reloaded():",
        "    # the plugin {broken} go on",
    ],
    ids=["comment", "string", "capitals", "test name", "line break"],
)
def test_a_planted_word_is_found_with_its_line(tmp_path, word, line):
    forms = {
        "word": word,
        "capitals": word.upper(),
        "name": word.replace(" ", "_"),
        "broken": word.replace(" ", "\n    # "),
    }
    path = tmp_path / "planted.py"
    path.write_text(f'"""Fine."""\n\n{line.format(**forms)}\n')

    (finding,) = findings_in(path)

    assert finding.startswith(f"{path}:3: ")
    assert finding.endswith(f"(write: {PLAINER[word]})")


@pytest.mark.parametrize("text", ["recommend, amends, commended", "it cannot", "forever", "is_anew = True", "busybody"])
def test_words_that_only_look_alike_are_left_alone(text):
    assert banned_words(text) == []
