"""Every attempt to leave the sandbox, first without the wall, then with it: as root and as an ordinary user.

A row whose attempt does not succeed without the wall is void for that user: it shows nothing.
"""

from collections import Counter

import pytest

from tests.escapes.conftest import USERS
from tests.escapes.report import passed, valid_rows
from tests.escapes.running import Half
from tests.escapes.still_open import LISTS, expected

ENOUGH = 40
OWN = [(user, "own") for user in USERS]
EACH = [pytest.param(user, version, id=f"{user}-landlock-{version}") for user in USERS for version in ("0", "4", "7")]


@pytest.mark.slow
@pytest.mark.parametrize(("user", "configuration"), OWN)
def test_no_attempt_leaves_the_sandbox(halves, user, configuration):
    hold(tables_of(halves[user]), configuration)


@pytest.mark.slow
@pytest.mark.parametrize(("user", "configuration"), OWN)
def test_every_job_completes_after_its_attempts(halves, user, configuration):
    assert uncompleted(tables_of(halves[user]), configuration) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("user", "configuration"), OWN)
def test_the_attempts_harm_neither_the_zygote_nor_the_job_beside_them(halves, user, configuration):
    assert harmed(tables_of(halves[user]), configuration) == []


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
def test_at_least_40_attempts_succeed_without_the_wall_and_fail_with_it(halves, user):
    tables = tables_of(halves[user])

    assert len(valid_rows(tables) - passed(tables, "own")) >= ENOUGH


@pytest.mark.long
@pytest.mark.parametrize(("user", "configuration"), EACH)
def test_no_attempt_leaves_the_sandbox_at_a_version_of_landlock(all_halves, user, configuration):
    tables = tables_of(all_halves[user])

    hold(tables, configuration)
    assert len(valid_rows(tables) - passed(tables, configuration)) >= ENOUGH


@pytest.mark.long
@pytest.mark.parametrize(("user", "configuration"), EACH)
def test_every_job_completes_after_its_attempts_at_a_version_of_landlock(all_halves, user, configuration):
    tables = tables_of(all_halves[user])

    assert uncompleted(tables, configuration) == {}
    assert harmed(tables, configuration) == []


@pytest.mark.long
@pytest.mark.parametrize(("user", "configuration"), EACH)
def test_the_version_is_in_force_and_no_capability_is_kept_that_is_not_needed(all_halves, user, configuration):
    policy = tables_of(all_halves[user])[configuration]["policy"]

    assert policy["landlock_abi"] <= int(configuration)
    assert (policy["landlock_abi"] == 0) == (configuration == "0")
    assert policy["word"] == ("degraded" if (user, configuration) == ("user", "0") else "walled")
    assert policy["uid_is_exclusive"] == (user == "root")
    assert not policy["searches"], "everything is open to every user there"


def test_what_is_still_open_stands_in_one_list_with_its_reason():
    counts = Counter(name for names in LISTS for name in names)

    assert [name for name, count in counts.items() if count > 1] == []
    assert all(reason for names in LISTS for reason in names.values())


def tables_of(half: Half) -> dict:
    """Return a user's tables; skips where they cannot be made here."""
    if half.cannot:
        pytest.skip(half.cannot)
    return half.tables


def hold(tables: dict, configuration: str) -> None:
    """Hold a configuration to the list of what is still open: no more gets through, and no less."""
    allowed = expected(tables[configuration]["policy"])
    through = passed(tables, configuration)

    assert sorted(through - allowed) == [], "these got through"
    assert sorted((allowed & valid_rows(tables)) - through) == [], "these get through no more: take them off the list"


def uncompleted(tables: dict, configuration: str) -> dict[str, str]:
    """Return the attempts after which the job did not go on to its end, with its ending."""
    rows = tables[configuration]["rows"]
    missing = dict.fromkeys(tables["off"]["rows"].keys() - rows.keys(), "not run")
    return missing | {name: row["ended"] for name, row in rows.items() if not row["is_completed"]}


def harmed(tables: dict, configuration: str) -> list[str]:
    """Return who suffered from the attempts."""
    found, beside = tables[configuration], tables[configuration]["beside"]
    is_well = beside == {"is_alive": True, "heard": "", "ended": "cancelled"}
    return [*([] if found["is_zygote_the_same"] else ["the zygote"]), *([] if is_well else ["the job beside"])]
