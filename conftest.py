"""What holds for every test of the workspace, whichever member it belongs to.

The examples of hypothesis have no time limit, since how long one takes depends on the machine and not on the code; and
they are the same in every run, so that the outcome of a run depends on the change and not on chance.

Tracebacks are logged as plain text: structlog's own, with every local variable, take seconds each.

Files that take long start first, so that no worker is left with one at the end; a run ends with its slowest files.
"""

from collections import Counter

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])

SECONDS_KEY = "forgesyte/seconds_per_file"
"""Where pytest's cache keeps how long each file took when it last ran."""

SHOWN_FILES = 20
SLOW_FILE_S = 10.0
"""What a file with tests marked slow is taken for until it has run once."""

seconds: Counter[str] = Counter()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the order within a file stays."""
    if not hasattr(config, "workerinput"):
        return
    expected = {file_of(item.nodeid): SLOW_FILE_S for item in items if item.get_closest_marker("slow")}
    expected |= known_seconds(config)
    items.sort(key=lambda item: (-expected.get(file_of(item.nodeid), 0.0), file_of(item.nodeid)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count setup, call and teardown; with workers the controller hears of all of them."""
    seconds[file_of(report.nodeid)] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the slowest files and keep all times for the order of the next run."""
    if cache := cache_of(config):
        cache.set(SECONDS_KEY, known_seconds(config) | dict(seconds))
    slowest = seconds.most_common(SHOWN_FILES)
    if len(slowest) > 1:
        terminalreporter.section(f"slowest {len(slowest)} of {len(seconds)} files, {seconds.total():.0f} s in all")
        for file, taken in slowest:
            terminalreporter.write_line(f"{taken:7.1f} s  {file}")


def file_of(nodeid: str) -> str:
    """The file of a test."""
    return nodeid.partition("::")[0]


def known_seconds(config: pytest.Config) -> dict[str, float]:
    """How long each file took when it last ran."""
    cache = cache_of(config)
    return cache.get(SECONDS_KEY, {}) if cache else {}


def cache_of(config: pytest.Config) -> pytest.Cache | None:
    """pytest's cache; it is not there with `-p no:cacheprovider`."""
    return getattr(config, "cache", None)
