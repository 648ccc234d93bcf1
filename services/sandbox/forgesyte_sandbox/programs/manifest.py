"""Program `manifest`: say what an installed plugin is and whether it can work here.

spec: `entry_point`. result: `manifest` (None when it could not be built), `state`, `reason`. The manifest is kept when
the plugin turns out unusable, so that a broken plugin can still be shown by name.
"""

from typing import TYPE_CHECKING, Any

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code
from forgesyte_sdk import PluginUnavailable

from .failures import Refusal, is_want_of_memory, text_of
from .plugins import import_plugin

if TYPE_CHECKING:
    from forgesyte_sandbox.child import Context


def run(context: "Context") -> dict[str, Any]:
    """Import, construct, validate.

    Raises:
        Refusal: the plugin is FAILED or UNAVAILABLE; the result goes with it.
    """
    manifest: dict[str, Any] | None = None
    try:
        plugin_class = import_plugin(context.spec["entry_point"])
        manifest = plugin_class.build_manifest().model_dump(mode="json")
        plugin_class().validate()
    except PluginUnavailable as missing:
        raise _refusal(missing, Code.PLUGIN_UNAVAILABLE, PluginState.UNAVAILABLE, manifest) from None
    except BaseException as error:
        if is_want_of_memory(error):
            raise
        raise _refusal(error, Code.PLUGIN_ERROR, PluginState.FAILED, manifest) from error
    return {"manifest": manifest, "state": PluginState.INITIALIZED, "reason": None}


def _refusal(error: BaseException, code: Code, state: PluginState, manifest: dict[str, Any] | None) -> Refusal:
    kind, text = type(error).__name__, text_of(error)
    reason = text if code is Code.PLUGIN_UNAVAILABLE else f"{kind}: {text}"
    return Refusal(code, text, error_type=kind, result={"manifest": manifest, "state": state, "reason": reason})
