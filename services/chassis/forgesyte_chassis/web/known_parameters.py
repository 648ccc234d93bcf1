"""Refuses query parameters that a route does not know: a misspelt filter would otherwise answer with everything.

What a route knows is read from its own signature, as FastAPI does, so there is no list that could differ from it.
Sockets are left alone: a client may have its own parameters in their address.
"""

import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Union, get_args, get_origin

from pydantic import BaseModel
from starlette.requests import Request

from forgesyte_contracts.problems import Code, ForgeSyteError

API_KEY = "api_key"
"""Known to every route, also to those that need no key: clients send it with everything."""

_SHOWN_CHARS = 60
_LISTS = (list, tuple, set, frozenset)


class Dependant(Protocol):
    """The part of FastAPI's description of a route's signature that is needed here; chassis does not import FastAPI."""

    query_params: Sequence[Any]
    dependencies: "Sequence[Dependant]"


def require_known_parameters(request: Request) -> None:
    """Check the names in a request's query against the signature of its route.

    Raises:
        ForgeSyteError: REQUEST_INVALID for a name that the route does not know, with those it knows; and for a name
            that occurs several times though it takes one value.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    known = query_parameters(request.scope["route"].dependant)
    for name, times in given.items():
        if name not in known:
            text = f"There is no query parameter {name[:_SHOWN_CHARS]!r} here; this route knows {_told(known)}."
            raise ForgeSyteError(Code.REQUEST_INVALID, text, field=name[:_SHOWN_CHARS])
        if times > 1 and not known[name]:
            text = f"The query parameter {name} takes one value and was given {times} times."
            raise ForgeSyteError(Code.REQUEST_INVALID, text, field=name)


def query_parameters(dependant: Dependant) -> Mapping[str, bool]:
    """Return the query parameters of a route by name, each with whether it may be repeated."""
    return dict(sorted(_declared(dependant))) | {API_KEY: False}


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):  # a model's fields are the parameters
            for name, inner in annotation.model_fields.items():
                yield inner.alias or name, _is_list(inner.annotation)
        else:
            yield field.alias, _is_list(annotation)
    for inner_dependant in dependant.dependencies:
        yield from _declared(inner_dependant)


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    if get_origin(annotation) in (Union, types.UnionType):
        return any(map(_is_list, get_args(annotation)))
    return (get_origin(annotation) or annotation) in _LISTS


def _told(known: Mapping[str, bool]) -> str:
    own = ", ".join(name for name in known if name != API_KEY)
    return f"{own} and {API_KEY}" if own else f"{API_KEY} only"
