from typing import Literal

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from forgesyte_launcher.stack.openapi import merged, openapi_app


def an_app(path: str, **fields: type) -> FastAPI:
    """An application with one route whose answer is a model `Answer` with these fields."""
    model = type("Answer", (BaseModel,), {"__annotations__": fields})
    app = FastAPI()

    @app.get(path, response_model=model)
    async def read(limit: int) -> None:
        """Read it."""

    return app


def answer_of(document: dict, path: str) -> str:
    return document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]


def test_paths_and_schemas_are_merged_in_the_order_of_the_apps():
    document = merged([an_app("/b", x=int).openapi(), an_app("/a", x=int).openapi()])

    assert list(document["paths"]) == ["/b", "/a"]
    assert answer_of(document, "/a") == answer_of(document, "/b") == "#/components/schemas/Answer"


def test_two_schemas_with_one_name_are_both_kept():
    document = merged([an_app("/a", x=int).openapi(), an_app("/b", y=Literal["z"]).openapi()])

    schemas = document["components"]["schemas"]
    assert "x" in schemas["Answer"]["properties"]
    assert answer_of(document, "/b") == "#/components/schemas/Answer2"
    assert "y" in schemas["Answer2"]["properties"]


def test_a_path_of_two_apps_is_taken_from_the_first():
    document = merged([an_app("/a", x=int).openapi(), an_app("/a", y=int).openapi()])

    assert answer_of(document, "/a") == "#/components/schemas/Answer"


def test_a_refused_parameter_is_described_as_the_problem_document_it_is():
    document = merged([an_app("/a", x=int).openapi()])

    content = document["paths"]["/a"]["get"]["responses"]["422"]["content"]
    assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


async def test_it_is_served_and_made_once():
    calls: list[int] = []

    def describe() -> dict:
        calls.append(1)
        return merged([an_app("/a", x=int).openapi(), an_app("/b", x=int).openapi()])

    app = openapi_app(describe)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as http:
        await http.get("/openapi.json")
        answer = await http.get("/openapi.json")

    assert len(calls) == 1
    assert list(answer.json()["paths"]) == ["/a", "/b"]
