"""The long form of the matrix: every fault through the whole product over HTTP, as its users meet it.

All faults with `make stability` and `make soak`; otherwise the first of each group and each fourth after it.

In both isolations, on video and, where it differs, on an image. One healthy job stands in the middle of its clip while
all faults of a group run beside it, one healthy job runs after each. launcher, runner, zygote and nats-server keep
their pids from the first fault to the last. In isolation `plugin` a fault that waits for its frame meets a sandbox that
has served a job before.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.stability.judging import judge_job, judge_refusal
from tests.stability.product import NEVER, Inputs, Product, running_product
from tests.stability.promises import CANNOT_WAIT, CASES, IN_A_JOB, IN_PRODUCT_ALONE, POISON, STEPS, Promise
from tests.stability.report import Line
from tests.stability.workbench import entry_points
from tests.support import IS_SOAK

SERVES_BEFORE = {promise.plugin for promise in IN_A_JOB} - {promise.plugin for promise in STEPS} - {*CANNOT_WAIT}


def groups(isolation: str) -> list[tuple[str, str]]:
    """Media and group of what runs in an isolation."""
    return [(media, group) for found, media, group in CASES if found == isolation]


pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def inputs(clip, picture) -> Inputs:
    return Inputs(clip, picture)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(request, tmp_path_factory, inputs, stray_files) -> AsyncIterator[Product]:
    """The product in the isolation that the test asks for."""
    folder = tmp_path_factory.mktemp(f"product-{request.param}")
    plugins = entry_points() if request.param == "job" else [promise.plugin for promise in IN_A_JOB]
    async with running_product(folder, inputs, request.param, plugins) as product:
        yield product


@pytest.mark.parametrize("product", ["job"], indirect=True, scope="module")
@pytest.mark.parametrize("plugin", list(IN_PRODUCT_ALONE))
async def test_a_plugin_that_lacks_something_is_refused_with_a_reason_that_names_it(product, plugin):
    state, words = IN_PRODUCT_ALONE[plugin]

    answer = await product.known(plugin)

    if state == "INITIALIZED":
        assert answer.status_code == 202, answer.text
        assert (await product.stack.ended(answer.json()["job_id"]))["status"] == "completed"
        return
    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] == "PLUGIN_UNAVAILABLE"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("product", ["job"], indirect=True, scope="module")
@pytest.mark.parametrize(("media", "group"), groups("job"))
async def test_faults_end_as_promised_over_http_and_no_other_job_notices(product, media, group, matrix):
    await run_group(product, media, group, matrix)


@pytest.mark.parametrize("product", ["plugin"], indirect=True, scope="module")
@pytest.mark.parametrize(("media", "group"), groups("plugin"))
async def test_faults_in_warm_sandboxes_end_as_promised_over_http_too(product, media, group, matrix):
    await run_group(product, media, group, matrix)


async def run_group(product: Product, media: str, group: str, matrix: dict[str, list[Line]]) -> None:
    """Run the faults of a group beside a healthy job, and hold the product to what it promises."""
    faults = [p for p in CASES[product.isolation, media, group] if p.plugin not in POISON][:: 1 if IS_SOAK else 4]
    neighbour = await product.stand(f"{media}-{group}")
    lines = [Line(promise.plugin, "/".join(promise.kinds)) for promise in faults]
    matrix.setdefault(f"faults in the product (HTTP, isolation: {product.isolation}, {media})", []).extend(lines)

    try:
        broken = [
            text
            for promise, line in zip(faults, lines, strict=True)
            for text in await check(product, promise, line, media)
        ]
    finally:
        product.let_go(f"{media}-{group}")

    beside = await product.is_right(neighbour)
    for line in lines:
        line.beside = "right" if beside else "WRONG"
    assert beside, "the healthy job beside them was untouched"
    assert product.services() == product.pids
    assert broken == []


@pytest.mark.parametrize("plugin", POISON)
async def test_a_manifest_that_is_too_large_for_the_bus_costs_no_other_plugin(tmp_path, inputs, plugin):
    async with running_product(tmp_path, inputs, "job", ["healthy"], poison=plugin) as product:
        answer = await product.known(plugin)
        assert await product.is_healthy_right()
        assert answer.status_code == 409, answer.text


async def check(product: Product, promise: Promise, line: Line, media: str) -> list[str]:
    """Run one fault and a healthy job after it; return what is not as promised."""
    found = await serve_before(product, promise, media)
    answer = await product.known(promise.plugin, media, 0 if media == "image" else None)
    may_rest = False
    if promise.program == "manifest":
        found += judge_refusal(promise, line, answer)
        if answer.status_code == 202:  # its job must not stand in the way of the next fault
            await product.stack.http.post(f"/v1/jobs/{answer.json()['job_id']}/cancel")
    elif answer.status_code != 202:
        line.found = f"{answer.status_code} {answer.text}"
        found += ["it was not accepted"]
    else:
        job = await product.ended(answer.json()["job_id"])
        may_rest = job["status"] == "completed"
        found += judge_job(promise, line, job)
    strays = product.strays(may_rest=may_rest)
    line.left, line.parent = str(len(strays)), "same" if product.services() == product.pids else "NEW"
    after = await product.is_healthy_right()
    line.after = "right" if after else "WRONG"
    found += [f"left alive: {strays}"] * bool(strays) + ["another pid"] * (line.parent == "NEW")
    found += ["the job after it is wrong"] * (not after)
    line.verdict = "BROKEN" if found else "ok"
    return [f"{promise.plugin}: {text}; found {line.found}" for text in found]


async def serve_before(product: Product, promise: Promise, media: str) -> list[str]:
    """Have a warm sandbox serve a job without the fault, so that it is met by one that is warm."""
    if product.isolation == "job" or promise.plugin not in SERVES_BEFORE:
        return []
    answer = await product.known(promise.plugin, media, NEVER)
    job = await product.ended(answer.json()["job_id"])
    return [] if job["status"] == "completed" else [f"it failed where it should do no harm: {job['error_message']}"]
