"""The routes /v1/devices and /v1/runners: the devices there are, and the runners that offer them."""

from fastapi import APIRouter, Response

from forgesyte_contracts.http.runners import DeviceOnRunner, RunnerInfo
from forgesyte_inspector.answers import json_response, runner_info
from forgesyte_inspector.state import State

router = APIRouter(tags=["fleet"])


@router.get("/v1/devices", response_model=list[DeviceOnRunner])
@router.head("/v1/devices", include_in_schema=False)
async def list_devices(state: State) -> Response:
    """Return every device of every living runner, ordered by runner and device."""
    return json_response(
        [
            DeviceOnRunner(**device.model_dump(), runner_id=runner_id, host=beat.host)
            for runner_id, beat in sorted(state.roster.living().items())
            for device in beat.devices
        ]
    )


@router.get("/v1/runners", response_model=list[RunnerInfo])
@router.head("/v1/runners", include_in_schema=False)
async def list_runners(state: State) -> Response:
    """Return every runner, ordered by id; one that went silent is shown as lost for some minutes."""
    return json_response([runner_info(seen) for seen in state.roster.all()])
