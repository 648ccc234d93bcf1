"""Sentences that the pages quote are those that the product says."""

import re
from pathlib import Path

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_plugin_runner.attempt.failure import failure_of
from forgesyte_sandbox.parent.outcome import SandboxOutcome

DOCS = Path(__file__).parents[2] / "docs"


def test_the_failed_job_of_the_realtime_page_ends_with_the_runners_sentence():
    outcome = SandboxOutcome(
        False, None, "no luck at 17", "RuntimeError", 1.0, "failed", code=Code.PLUGIN_ERROR, frame=17
    )

    quoted = re.findall(r'"message": "(The plugin [^"]+)"', (DOCS / "realtime.md").read_text())

    assert quoted == [failure_of(outcome, "probe").message] * 2


def test_titles_on_the_pages_are_those_of_their_codes():
    page = (DOCS / "api.md").read_text()

    titles = re.findall(r'"title": "([^"]+)",\n.*\n.*\n  "code": "(\w+)"', page)

    assert titles
    assert [code for title, code in titles if CODE_FACTS[Code(code)].title != title] == []
