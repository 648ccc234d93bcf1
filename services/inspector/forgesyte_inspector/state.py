"""The parts that the routes of one inspector share; made by create_app and passed through the app's state."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock

from .roster import Roster
from .service import InspectorService


@dataclass(frozen=True, slots=True)
class InspectorState:
    """The bus and the views over it."""

    bus: Bus
    clock: Clock
    roster: Roster
    service: InspectorService


def _state(request: Request) -> InspectorState:
    state = request.app.state.inspector
    assert isinstance(state, InspectorState)  # noqa: S101  create_app sets it
    return state


State = Annotated[InspectorState, Depends(_state)]
"""A route parameter: the shared state."""
