"""What a plugin author imports: `from forgesyte_sdk import Frame, Plugin, Regions, Tool, ToolOptions`.

The modules behind it may move; these names are stable. The SDK never imports chassis, the sandbox or a service.
"""

from forgesyte_contracts.plugins import ModelFile, Permissions, PluginLimits, PluginManifest, Requires

from .errors import PluginContractError, PluginUnavailable
from .frame import Frame, Image, JobInfo
from .jsonable import to_jsonable
from .outputs import (
    Box,
    Detections,
    Region,
    Regions,
    ToolOutput,
    TrackedObject,
    TrackedObjects,
    count_detections,
)
from .plugin import Plugin
from .tool import EmptyOptions, Tool, ToolOptions

__all__ = [
    "Box",
    "Detections",
    "EmptyOptions",
    "Frame",
    "Image",
    "JobInfo",
    "ModelFile",
    "Permissions",
    "Plugin",
    "PluginContractError",
    "PluginLimits",
    "PluginManifest",
    "PluginUnavailable",
    "Region",
    "Regions",
    "Requires",
    "Tool",
    "ToolOptions",
    "ToolOutput",
    "TrackedObject",
    "TrackedObjects",
    "count_detections",
    "to_jsonable",
]
