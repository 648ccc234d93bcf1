"""GET /v1/jobs: filters, limit, cursor and skip together, while jobs come, change and go."""

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.problems import Code


def ids(page) -> list[str]:
    return [job["job_id"] for job in page["jobs"]]


async def listed(api, **query) -> dict:
    answer = await api.http.get("/v1/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def fill(api, make):
    """Fills the list: job n of plugin `motion` or, when n is odd, `ocr`; each third one is cancelled. Newest last."""

    def fill(count: int, first: int = 0) -> list[str]:
        for n in range(first, first + count):
            job_id = new_job_id(time_ms=1_700_000_000_000 + n)
            record = make.a_record(job_id=job_id, plugin_id="ocr" if n % 2 else "motion")
            record = moves.cancelled(record, make.NOW) if n % 3 == 0 else record
            api.state.projection.apply(job_id, record, 10_000 + n)
            made.append(job_id)
        return made

    made: list[str] = []
    return fill


def expected(made: list[str], *, odd: bool, third: bool) -> list[str]:
    return [job_id for n, job_id in reversed(list(enumerate(made))) if n % 2 == odd and (n % 3 == 0) == third]


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
async def test_pages_of_a_filtered_list_join_without_gap_or_double(api, fill, limit):
    made = fill(40)
    wanted = expected(made, odd=True, third=False)
    query, found = {"status": "pending", "plugin": "ocr", "limit": limit}, []

    while True:
        page = await listed(api, **query)
        assert page["count"] == len(wanted)
        assert len(page["jobs"]) <= limit
        found += ids(page)
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert found == wanted


async def test_jobs_that_come_between_two_pages_shift_a_cursor_page_by_nothing(api, fill):
    made = fill(10)
    first = await listed(api, limit=4)
    fill(5, first=10)

    second = await listed(api, limit=4, cursor=first["next_cursor"])

    assert ids(first) + ids(second) == list(reversed(made[:10]))[:8]
    assert second["count"] == 15


async def test_a_cursor_goes_on_even_when_its_own_job_no_longer_matches(api, fill, make):
    made = fill(12)
    first = await listed(api, status="pending", limit=3)
    cursor = first["next_cursor"]
    ended = moves.cancelled(api.state.projection.get(cursor).record, make.NOW)
    api.state.projection.apply(cursor, ended, 99_000)

    second = await listed(api, status="pending", limit=3, cursor=cursor)

    pending = [job_id for n, job_id in reversed(list(enumerate(made))) if n % 3]
    assert ids(first) + ids(second) == pending[:6]


async def test_skip_leaves_out_as_many_and_behind_the_end_there_is_nothing(api, fill):
    made = fill(9)

    some = await listed(api, skip=7, limit=5)
    none = await listed(api, skip=9)

    assert ids(some) == list(reversed(made))[7:]
    assert (some["count"], some["next_cursor"]) == (9, None)
    assert (ids(none), none["count"], none["next_cursor"]) == ([], 9, None)


async def test_skip_and_cursor_work_on_from_each_other(api, fill):
    made = fill(9)

    first = await listed(api, skip=2, limit=3)
    second = await listed(api, limit=3, cursor=first["next_cursor"])

    assert ids(first) + ids(second) == list(reversed(made))[2:8]


async def test_the_last_full_page_has_no_cursor(api, fill):
    fill(6)

    page = await listed(api, limit=6)

    assert (len(page["jobs"]), page["next_cursor"]) == (6, None)


@pytest.mark.parametrize("status", ["pending", "running", "completed", "failed", "cancelled"])
async def test_every_status_can_be_asked_for(api, make, status):
    claimed = moves.claimed(make.a_record(), "runner-1", make.NOW)
    records = {
        "pending": make.a_record(),
        "running": claimed,
        "completed": moves.completed(moves.claimed(make.a_record(), "r", make.NOW), make.NOW),
        "failed": moves.failed(make.a_record(), Code.PLUGIN_ERROR, "ValueError", "no.", make.NOW),
        "cancelled": moves.cancelled(make.a_record(), make.NOW),
    }
    for revision, record in enumerate(records.values(), start=10_000):
        api.state.projection.apply(record.job_id, record, revision)

    page = await listed(api, status=status)

    assert (ids(page), page["count"]) == ([records[status].job_id], 1)


async def test_an_unknown_plugin_has_no_jobs_and_that_is_no_fault(api, fill):
    fill(3)

    page = await listed(api, plugin="never-seen")

    assert page == {"jobs": [], "count": 0, "next_cursor": None}


async def test_status_may_repeat_and_means_either(api, fill):
    fill(12)

    either = await listed(api, status=["pending", "cancelled"], limit=100)
    one = [await listed(api, status=status, limit=100) for status in ("pending", "cancelled")]

    assert either["count"] == sum(page["count"] for page in one) == 12
    assert {job["status"] for job in either["jobs"]} == {"pending", "cancelled"}
    assert await listed(api, status=["running", "completed"]) == {"jobs": [], "count": 0, "next_cursor": None}


async def test_plugin_id_is_another_name_for_plugin(api, fill):
    fill(12)

    named = [
        await listed(api, **names)
        for names in ({"plugin": "ocr"}, {"plugin_id": "ocr"}, {"plugin": "ocr", "plugin_id": "ocr"})
    ]
    both = await api.http.get("/v1/jobs", params={"plugin": "ocr", "plugin_id": "motion"})

    assert named[0]["count"] == 6
    assert named[0] == named[1] == named[2]
    assert (both.status_code, both.json()["code"], both.json()["field"]) == (422, "REQUEST_INVALID", "plugin_id")


@pytest.mark.parametrize(
    ("query", "field"),
    [("plugins=ocr", "plugins"), ("limit=1&limit=2", "limit"), ("plugin=a&plugin=a", "plugin"), ("Status=x", "Status")],
)
async def test_a_misspelt_filter_never_returns_everything(api, fill, query, field):
    fill(3)

    answer = await api.http.get(f"/v1/jobs?{query}")

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_known_list_of_names_is_part_of_the_refusal(api):
    answer = await api.http.get("/v1/jobs?plugn=ocr")

    assert "cursor, limit, plugin, plugin_id, skip, status and api_key" in answer.json()["detail"]
