"""The routes under /v1/plugins: how plugins are, and the reload. Unknown is 404; a broken plugin is data."""

from fastapi import APIRouter, Request, Response, status

from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.http.plugins import PluginList, PluginReport, ReloadAccepted
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginHealth, PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_inspector.answers import json_response, list_of
from forgesyte_inspector.state import InspectorState, State

router = APIRouter(tags=["plugins"])

_MAX_SHOWN = 80
_MAX_NAMES = 20


class PluginNotFound(ForgeSyteError):
    """There is no such plugin, or nothing of it that was asked for. Where a plugin is *sent* (job-api) the same code
    is a bad request; where it is the address it is a missing page."""

    def __init__(self, detail: str, name: str) -> None:
        super().__init__(Code.PLUGIN_UNKNOWN, detail, plugin=name[:_MAX_SHOWN])


async def on_plugin_not_found(_request: Request, error: Exception) -> Response:
    """Answer 404 with the problem document."""
    assert isinstance(error, PluginNotFound)  # noqa: S101 - narrows for the type checker; registered for this class
    document = {**problem_document(error), "status": status.HTTP_404_NOT_FOUND}
    answer = json_response(document, status.HTTP_404_NOT_FOUND)
    answer.headers["Content-Type"] = MEDIA_TYPE
    return answer


def _unknown(state: InspectorState, name: str) -> PluginNotFound:
    names = list(state.service.pictures())
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    known = ", ".join(names[:_MAX_NAMES]) or "none, because no runner has reported yet"
    return PluginNotFound(f"There is no plugin {name[:_MAX_SHOWN]!r}; known plugins: {known}{more}.", name)


def _report(state: InspectorState, name: str) -> PluginReport:
    report = state.service.report(name)
    if report is None:
        raise _unknown(state, name)
    return report


@router.get("/v1/plugins", response_model=list[PluginHealth])
@router.head("/v1/plugins", include_in_schema=False)
async def list_plugins(state: State) -> Response:
    """Give the health of every plugin, in name order."""
    return json_response([report.health for report in state.service.reports()])


@router.get("/v1/plugins/", response_model=PluginList)
@router.head("/v1/plugins/", include_in_schema=False)
async def count_plugins(state: State) -> Response:
    """Give the health of every plugin with how many can be used, are FAILED and are UNAVAILABLE."""
    return json_response(list_of([report.health for report in state.service.reports()]))


@router.get("/v1/plugins/{name}", response_model=PluginReport)
@router.head("/v1/plugins/{name}", include_in_schema=False)
async def get_plugin(state: State, name: str) -> Response:
    """Give everything about one plugin."""
    return json_response(_report(state, name))


@router.get("/v1/plugins/{name}/health", response_model=PluginHealth)
@router.head("/v1/plugins/{name}/health", include_in_schema=False)
async def get_plugin_health(state: State, name: str) -> Response:
    """Give the health of one plugin; a broken one answers 200 with its state and the reason."""
    health = state.service.health(name)
    if health is None:
        raise _unknown(state, name)
    return json_response(health)


@router.get("/v1/plugins/{name}/manifest", response_model=PluginManifest)
@router.head("/v1/plugins/{name}/manifest", include_in_schema=False)
async def get_plugin_manifest(state: State, name: str) -> Response:
    """Give the manifest of one plugin; 404 also when it could not be read, with the reason."""
    picture = state.service.pictures().get(PluginName(name))
    if picture is None:
        raise _unknown(state, name)
    if picture.manifest is None:
        why = picture.health.reason or "its runner did not say why"
        raise PluginNotFound(f"The manifest of plugin {name!r} could not be read: {why}", name)
    return json_response(picture.manifest)


@router.post("/v1/plugins/{name}/reload", response_model=ReloadAccepted, status_code=status.HTTP_202_ACCEPTED)
async def reload_plugin(state: State, name: str) -> Response:
    """Ask every runner that has the plugin to read and validate it anew, so that FAILED and UNAVAILABLE can end."""
    health = _report(state, name).health
    await state.bus.control.reload(PluginName(health.name))
    accepted = ReloadAccepted(plugin=health.name, runners=len(health.runners), requested_at=state.clock.now())
    return json_response(accepted, status.HTTP_202_ACCEPTED)
