"""The fields of a submit beside its media, given as query parameters, as form fields, or as a mixture of both."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from forgesyte_contracts.problems import Code, ForgeSyteError

_LISTS = frozenset({"tool"})

MAX_TOOLS = 32
MAX_STREAM = 9999
MAX_WAIT_S = 300
"""Most seconds that a client may wait for a result: each waiting request holds a connection."""


class SubmitFields(BaseModel):
    """The fields of a submit. Missing ones stay None: whether one is required is decided when all have arrived."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    plugin_id: str | None = Field(default=None, examples=["motion-detector"])
    """Name of the plugin."""

    tool: tuple[str, ...] = Field(default=(), max_length=MAX_TOOLS, examples=[["detect-motion"]])
    """Tool of the plugin, by id or alias; repeat it for several tools over one decode."""

    device: Literal["auto", "cpu", "gpu"] | None = Field(default=None, examples=["auto"])
    """The kind of device to run on; `auto` when missing."""

    options: str | None = Field(default=None, examples=['{"threshold": 25}'])
    """JSON object with the tool's options; `{tool: options}` for several tools."""

    skip_bad_frames: bool | None = Field(default=None, examples=[False])
    """Skip a frame at which the plugin died twice instead of failing the job; false when missing."""

    video_stream: int | None = Field(default=None, ge=0, le=MAX_STREAM, examples=[0])
    """Index of the video stream to analyse, as ffprobe prints it; the default-flagged or largest one when missing."""

    filename: str | None = Field(default=None, examples=["cars.mp4"])
    """Name of the media, for people; a form's file has its own."""

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_missing(cls, value: Any) -> Any:  # noqa: ANN401  whatever came under a field's name
        """A browser's form also sends the fields that were left blank."""
        if isinstance(value, list | tuple):
            return tuple(one for one in value if one != "")
        return None if value == "" else value


class AnalyzeFields(SubmitFields):
    """The fields of a submit whose answer is the result."""

    timeout_s: float | None = Field(default=None, gt=0, le=MAX_WAIT_S, allow_inf_nan=False, examples=[30])
    """Seconds to wait for the job's end before the answer is 504; the service's default when missing."""


def form_fields[FieldsT: SubmitFields](values: Mapping[str, Sequence[str]], model: type[FieldsT]) -> FieldsT:
    """Check the text fields of a form; `model` defines them.

    Raises:
        ForgeSyteError: REQUEST_INVALID naming the field.
    """
    given: dict[str, Any] = {}
    for name, texts in values.items():
        if name in _LISTS:
            given[name] = tuple(texts)
        elif name in model.model_fields:
            given[name] = _single(name, texts)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ForgeSyteError(Code.REQUEST_INVALID, f"form field {field}: {first['msg']}", field=field) from None


def merged[FieldsT: SubmitFields](query: FieldsT, form: FieldsT) -> FieldsT:
    """Merge query parameters and form fields; the tools of both count, those of the query first.

    Raises:
        ForgeSyteError: REQUEST_INVALID when both have a field with different values.
    """
    values: dict[str, Any] = {"tool": (*query.tool, *form.tool)}
    for name in type(query).model_fields.keys() - _LISTS:
        texts = [value for value in (getattr(query, name), getattr(form, name)) if value is not None]
        values[name] = _single(name, texts) if texts else None
    return query.model_copy(update=values)


def _single(name: str, values: Sequence[Any]) -> Any:  # noqa: ANN401  any field's value goes through unchanged
    if any(value != values[0] for value in values):
        raise ForgeSyteError(Code.REQUEST_INVALID, f"{name} was given twice with different values", field=name)
    return values[0]
