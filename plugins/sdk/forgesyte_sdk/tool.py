"""One analysis of a plugin: typed options in, one typed output per frame.

Each job gets its own Tool instance, so what it keeps on `self` cannot leak into another job. What jobs share (a loaded
model) belongs to the Plugin. The sandbox calls, in this order: `__init__`, `prepare`, `process_frame` or
`process_batch` in frame order, `finalize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import get_original_bases
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from .frame import Frame, JobInfo
    from .plugin_facts import PluginFacts


class ToolOptions(BaseModel):
    """Base of a tool's options: frozen, a docstring under a field describes it, unknown fields are refused.

    Refusing unknown fields is mandatory (the contract check insists on it): a mistyped option that is silently ignored
    costs its user a whole video.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EmptyOptions(ToolOptions):
    """The options of a tool that has none."""


class Tool[OptionsT: BaseModel, OutputT: BaseModel]:
    """One analysis. Name both types when you derive from it: `class DetectMotion(Tool[MotionOptions, Regions])`.

    Attributes:
        name: the tool's id, `^[a-z0-9_-]+$`.
        aliases: further ids that find this tool.
        title: the name shown to people.
        description: what it finds; the class's docstring when empty.
        inputs: the kinds of media it accepts. An image is a job of one frame.
        Options: model of the options; taken from the type argument unless set.
        Output: model of one frame's output; taken from the type argument unless set.
        plugin: the plugin object that this tool belongs to. Annotate it with your own class (`plugin: MyPlugin`) to
            have its attributes typed.
        options: the validated options of this job.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    inputs: ClassVar[tuple[Literal["image", "video"], ...]] = ("video",)
    Options: ClassVar[type[BaseModel]] = EmptyOptions
    Output: ClassVar[type[BaseModel]]

    plugin: PluginFacts
    options: OptionsT

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for attribute, model in zip(("Options", "Output"), type_arguments(cls), strict=False):
            if attribute not in cls.__dict__ and isinstance(model, type) and issubclass(model, BaseModel):
                setattr(cls, attribute, model)

    def __init__(self, plugin: PluginFacts, options: OptionsT) -> None:
        self.plugin = plugin
        self.options = options

    def prepare(self, job: JobInfo) -> None:
        """Prepare for the first frame of `job`. Does nothing unless overridden."""

    def process_frame(self, frame: Frame) -> OutputT:
        """Analyse one frame; called once per frame, in order.

        A tool that overrides `process_batch` alone gets each frame as a batch of one.
        """
        if type(self).process_batch is Tool.process_batch:
            raise NotImplementedError(f"tool {self.name} has neither process_frame nor process_batch")
        outputs = self.process_batch([frame])
        if len(outputs) != 1:
            raise ValueError(f"tool {self.name}: process_batch returned {len(outputs)} outputs for 1 frame")
        return outputs[0]

    def process_batch(self, frames: Sequence[Frame]) -> list[OutputT]:
        """Analyse several frames at once; override it when a batch is faster.

        Args:
            frames: one or more frames, in order, without gaps.

        Returns:
            One output per frame, in the same order.
        """
        return [self.process_frame(frame) for frame in frames]

    def finalize(self) -> None:
        """Release what `prepare` acquired. Called once after the last frame; does nothing unless overridden."""

    def snapshot(self) -> bytes | None:
        """Return the state after the last processed frame, so that another attempt can continue from there.

        Returns:
            The state, or None (the default): a stateful tool then starts again at frame 0.
        """
        return None

    def restore(self, state: bytes) -> None:
        """Restore the state that `snapshot` returned; called after `prepare`, before the next frame."""
        raise NotImplementedError(f"tool {self.name} returns snapshots but has no restore")


def type_arguments(tool: type) -> tuple[Any, ...]:
    """Return the type arguments in `class X(Tool[...])`; empty when X names Tool without brackets."""
    for base in get_original_bases(tool):
        if get_origin(base) is Tool:
            return get_args(base)
    return ()
