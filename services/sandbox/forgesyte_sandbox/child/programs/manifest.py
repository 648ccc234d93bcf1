"""Program `manifest`: find out what an installed plugin is and whether it can work here.

spec: ManifestSpec. result: `manifest` (None when it could not be built), `state`, `reason`. The manifest is
returned for an unusable plugin too, so that a broken plugin can still be shown by name.
"""

from typing import Any

from forgesyte_contracts.plugins import PluginManifest, PluginState
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.failures import is_out_of_memory, text_of
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.limits import MAX_MANIFEST_BYTES
from forgesyte_sandbox.shared.specs import ManifestSpec
from forgesyte_sdk import Plugin, PluginContractError, PluginUnavailable

from .plugins import import_plugin


def run(context: Context[ManifestSpec]) -> dict[str, Any]:
    """Import, construct, validate; with `validates` off, import alone.

    Raises:
        Refusal: the plugin is FAILED or UNAVAILABLE; it carries the result.
    """
    manifest: dict[str, Any] | None = None
    try:
        plugin_class = import_plugin(context.spec.entry_point)
        manifest = _manifest_of(plugin_class)
        if context.spec.validates:
            plugin_class().validate()
    except PluginUnavailable as missing:
        raise _refusal(missing, Code.PLUGIN_UNAVAILABLE, PluginState.UNAVAILABLE, manifest) from None
    except BaseException as error:
        if is_out_of_memory(error):
            raise
        raise _refusal(error, Code.PLUGIN_ERROR, PluginState.FAILED, manifest) from error
    return {"manifest": manifest, "state": PluginState.INITIALIZED, "reason": None}


def _manifest_of(plugin_class: type[Plugin]) -> dict[str, Any]:
    built: object = plugin_class.build_manifest()  # a plugin may have overridden it with anything
    if not isinstance(built, PluginManifest):
        problem = f"build_manifest returned {type(built).__name__}, expected a PluginManifest"
        raise PluginContractError(plugin_class.__qualname__, [problem])
    size = len(built.model_dump_json().encode())
    if size > MAX_MANIFEST_BYTES:
        problem = f"its manifest has {size >> 10} KiB, at most {MAX_MANIFEST_BYTES >> 10} KiB are accepted"
        raise PluginContractError(plugin_class.__qualname__, [f"{problem}; shorten texts and option schemas"])
    manifest: dict[str, Any] = built.model_dump(mode="json")
    return manifest


def _refusal(error: BaseException, code: Code, state: PluginState, manifest: dict[str, Any] | None) -> Refusal:
    kind, text = type(error).__name__, text_of(error)
    reason = text if code is Code.PLUGIN_UNAVAILABLE else f"{kind}: {text}"
    return Refusal(code, text, error_type=kind, result={"manifest": manifest, "state": state, "reason": reason})
