"""The routes under /v1/plugins: the state of plugins, and the reload.

An unknown plugin is a 404; a broken one is data.
"""

from fastapi import APIRouter, Request, Response, status

from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.http.plugins import PluginList, PluginReport, ReloadAccepted
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginHealth, PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_inspector.answers import json_response, list_of
from forgesyte_inspector.description import PluginPath, refusals
from forgesyte_inspector.state import InspectorState, State

router = APIRouter(tags=["plugins"])

_MAX_SHOWN = 80
_MAX_NAMES = 20


class PluginNotFound(ForgeSyteError):
    """There is no such plugin, or it lacks what was requested.

    Where a request body names the plugin (job-api), the same code is a bad request; here, in the path, it is a 404.
    """

    def __init__(self, detail: str, name: str) -> None:
        super().__init__(Code.PLUGIN_UNKNOWN, detail, plugin=name[:_MAX_SHOWN])


async def on_plugin_not_found(_request: Request, error: Exception) -> Response:
    """Answer 404 with the problem document."""
    assert isinstance(error, PluginNotFound)  # noqa: S101 - the handler is registered for this class; this narrows the type
    document = {**problem_document(error), "status": status.HTTP_404_NOT_FOUND}
    response = json_response(document, status.HTTP_404_NOT_FOUND)
    response.headers["Content-Type"] = MEDIA_TYPE
    return response


def _unknown(state: InspectorState, name: str) -> PluginNotFound:
    names = list(state.service.summaries())
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
    """Return the health of every plugin, ordered by name."""
    return json_response([report.health for report in state.service.reports()])


@router.get("/v1/plugins/", response_model=PluginList)
@router.head("/v1/plugins/", include_in_schema=False)
async def count_plugins(state: State) -> Response:
    """Return the health of every plugin, and how many are usable, FAILED and UNAVAILABLE."""
    return json_response(list_of([report.health for report in state.service.reports()]))


@router.get("/v1/plugins/{name}", response_model=PluginReport, responses=refusals(404))
@router.head("/v1/plugins/{name}", include_in_schema=False)
async def get_plugin(state: State, name: PluginPath) -> Response:
    """Return everything about one plugin."""
    return json_response(_report(state, name))


@router.get("/v1/plugins/{name}/health", response_model=PluginHealth, responses=refusals(404))
@router.head("/v1/plugins/{name}/health", include_in_schema=False)
async def get_plugin_health(state: State, name: PluginPath) -> Response:
    """Return the health of one plugin; for a broken one this is 200 with its state and the reason."""
    health = state.service.health(name)
    if health is None:
        raise _unknown(state, name)
    return json_response(health)


@router.get("/v1/plugins/{name}/manifest", response_model=PluginManifest, responses=refusals(404))
@router.head("/v1/plugins/{name}/manifest", include_in_schema=False)
async def get_plugin_manifest(state: State, name: PluginPath) -> Response:
    """Return the manifest of one plugin; 404 with the reason when its runner could not read it."""
    summary = state.service.summaries().get(PluginName(name))
    if summary is None:
        raise _unknown(state, name)
    if summary.manifest is None:
        why = summary.health.reason or "its runner gave no reason"
        raise PluginNotFound(f"The manifest of plugin {name!r} could not be read: {why}", name)
    return json_response(summary.manifest)


@router.post(
    "/v1/plugins/{name}/reload",
    response_model=ReloadAccepted,
    status_code=status.HTTP_202_ACCEPTED,
    responses=refusals(404, 503),
)
async def reload_plugin(state: State, name: PluginPath) -> Response:
    """Ask every runner that has the plugin to load and check it again, so that it can leave FAILED or UNAVAILABLE."""
    health = _report(state, name).health
    await state.bus.control.reload(PluginName(health.name))
    accepted = ReloadAccepted(plugin=health.name, runners=len(health.runners), requested_at=state.clock.now())
    return json_response(accepted, status.HTTP_202_ACCEPTED)
