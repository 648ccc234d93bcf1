"""The names that a route knows, read from every way in which FastAPI lets it declare them."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel, Field

from forgesyte_chassis.web.known_parameters import require_known_parameters
from forgesyte_chassis.web.problems import install


class Fields(BaseModel):
    plugin: str | None = None
    tool: tuple[str, ...] = ()
    kind: str | None = Field(default=None, alias="class")


def page(limit: int = 10) -> int:
    return limit


router = APIRouter()


@router.get("/plain")
@router.head("/plain")
async def plain(
    _page: Annotated[int, Depends(page)],
    state: Annotated[list[str] | None, Query()] = None,
    word: Annotated[str | None, Query(alias="w")] = None,
) -> None:
    """Knows limit, state (several) and w."""


@router.post("/fields/{name}")
async def fields(name: str, query: Annotated[Fields, Query()]) -> None:
    """Knows plugin, tool (several) and class."""


@router.get("/nothing")
async def nothing() -> None:
    """Knows none."""


async def ask(method, path):
    async def guard(request: Request) -> None:
        require_known_parameters(request)

    app = FastAPI(dependencies=[Depends(guard)])
    install(app)
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/plain"),
        ("GET", "/plain?"),
        ("GET", "/plain?limit=1&state=a&state=b&w=c"),
        ("HEAD", "/plain?limit=1"),
        ("POST", "/fields/x?plugin=a&tool=b&tool=c&class=d"),
        ("GET", "/nothing?api_key=secret"),
    ],
)
async def test_known_names_are_taken_and_lists_may_repeat(method, path):
    assert (await ask(method, path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "field", "told"),
    [
        pytest.param("GET", "/plain?limits=1", "limits", "limit, state, w and api_key", id="misspelt"),
        pytest.param("GET", "/plain?word=1", "word", "limit, state, w and api_key", id="name in the code"),
        pytest.param("GET", "/plain?Limit=1", "Limit", "limit, state, w and api_key", id="capital"),
        pytest.param("GET", "/plain?x", "x", "limit, state, w and api_key", id="no value"),
        pytest.param("GET", "/plain?=x", "", "limit, state, w and api_key", id="no name"),
        pytest.param("POST", "/fields/x?name=y", "name", "class, plugin, tool and api_key", id="field of the path"),
        pytest.param("GET", "/nothing?a=b", "a", "api_key only", id="no parameters"),
        pytest.param("GET", "/plain?limit=1&limit=1", "limit", "one value and was given 2 times", id="repeated"),
        pytest.param("POST", "/fields/x?plugin=a&plugin=b", "plugin", "one value and was given 2", id="field twice"),
        pytest.param("GET", "/nothing?api_key=a&api_key=b", "api_key", "one value", id="key twice"),
    ],
)
async def test_other_names_and_single_ones_that_repeat_are_422_with_the_known_names(method, path, field, told):
    answer = await ask(method, path)

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == ("REQUEST_INVALID", field)
    assert told in answer.json()["detail"]


async def test_a_head_is_refused_like_its_get():
    assert (await ask("HEAD", "/plain?limits=1")).status_code == 422


async def test_no_value_is_repeated_in_the_refusal():
    answer = await ask("GET", "/plain?api-key=swordfish")

    assert answer.status_code == 422
    assert "swordfish" not in answer.text
