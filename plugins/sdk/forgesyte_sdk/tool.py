"""One analysis of a plugin: typed options in, one typed output for each frame.

A Tool instance is made for each job, so whatever it keeps on `self` can not leak into another job. What is shared
between jobs (a loaded model) belongs to the Plugin. The sandbox calls, in this order: `__init__`, `prepare`,
`process_frame` or `process_batch` in frame order, `finalize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import get_original_bases
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from .frame import Frame, JobInfo
    from .plugin import Plugin


class ToolOptions(BaseModel):
    """Base of a tool's options: frozen, a docstring under a field describes it, unknown fields are refused.

    Refusing unknown fields is a duty (the contract check asks for it): a mistyped option that is silently ignored
    costs its user a whole video.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EmptyOptions(ToolOptions):
    """The options of a tool that has none."""


class Tool[OptionsT: BaseModel, OutputT: BaseModel]:
    """One analysis. Derive with both types named, `class DetectMotion(Tool[MotionOptions, Regions])`.

    Attributes:
        name: the tool's id, `^[a-z0-9_-]+$`.
        aliases: further ids that find this tool.
        title: a name for people.
        description: what it finds; the class's docstring when empty.
        inputs: what it can work on. An image is a job of one frame.
        Options: model of the options; taken from the type argument when not written out.
        Output: model of one frame's output; taken from the type argument when not written out.
        plugin: the plugin object that this tool belongs to.
        options: validated options of this job.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    inputs: ClassVar[tuple[Literal["image", "video"], ...]] = ("video",)
    Options: ClassVar[type[BaseModel]] = EmptyOptions
    Output: ClassVar[type[BaseModel]]

    plugin: Plugin
    options: OptionsT

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for attribute, model in zip(("Options", "Output"), type_arguments(cls), strict=False):
            if attribute not in cls.__dict__ and isinstance(model, type) and issubclass(model, BaseModel):
                setattr(cls, attribute, model)

    def __init__(self, plugin: Plugin, options: OptionsT) -> None:
        self.plugin = plugin
        self.options = options

    def prepare(self, job: JobInfo) -> None:
        """Get ready for the first frame of `job`. Does nothing unless overridden."""

    def process_frame(self, frame: Frame) -> OutputT:
        """Analyse one frame; called once for each frame, in order.

        A tool that overrides `process_batch` alone gets each frame as a batch of one.
        """
        if type(self).process_batch is Tool.process_batch:
            raise NotImplementedError(f"tool {self.name} has neither process_frame nor process_batch")
        outputs = self.process_batch([frame])
        if len(outputs) != 1:
            raise ValueError(f"tool {self.name}: process_batch gave {len(outputs)} outputs for 1 frame")
        return outputs[0]

    def process_batch(self, frames: Sequence[Frame]) -> list[OutputT]:
        """Analyse several frames at once; override it where a batch is faster.

        Args:
            frames: one or more frames, in order, without gaps.

        Returns:
            One output for each frame, in the same order.
        """
        return [self.process_frame(frame) for frame in frames]

    def finalize(self) -> None:
        """Let go of what `prepare` took. Called once after the last frame; does nothing unless overridden."""

    def snapshot(self) -> bytes | None:
        """Give the state after the last processed frame, so that another attempt can go on from there.

        Returns:
            The state, or None (unless overridden): a stateful tool then starts again at frame 0.
        """
        return None

    def restore(self, state: bytes) -> None:
        """Take over what `snapshot` gave; called after `prepare`, before the next frame."""
        raise NotImplementedError(f"tool {self.name} gives snapshots but has no restore")


def type_arguments(tool: type) -> tuple[Any, ...]:
    """Give what stands in the brackets of `class X(Tool[...])`; empty when X names Tool without brackets."""
    for base in get_original_bases(tool):
        if get_origin(base) is Tool:
            return get_args(base)
    return ()
