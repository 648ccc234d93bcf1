"""Exceptions flattened to text, the only form in which they leave the sandbox.

A plugin's exception is not trusted: its str() may raise, its class may lie, its text may be huge.
"""

import errno
import traceback
from collections.abc import Iterator

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.messages import Failed
from forgesyte_sandbox.shared.specs import SpecRefused
from forgesyte_sdk import PluginUnavailable

_MAX_TEXT_CHARS = 16_000
_MAX_CAUSES = 10
_MAX_FRAMES = 200
"""The last ones of a traceback, about as many as _MAX_TEXT_CHARS hold. Formatting all frames of a deep recursion takes
seconds, and memory that has just run out."""

_OPENCV_NO_MEMORY = -4
_NO_MEMORY_TEXTS = (
    "can't allocate memory", "cannot allocate memory", "can't start new thread", "std::bad_alloc", "out of memory",
)  # fmt: skip


def describe(error: BaseException, *, frame: int | None) -> Failed:
    """Flatten an exception.

    Args:
        error: what was raised, of any class.
        frame: the 0-based frame at which it was raised.
    """
    if isinstance(error, Refusal):
        behind = "" if error.__cause__ is None else _traceback_of(error.__cause__)
        return Failed(error.code, _cut(error.error_type), _cut(str(error)), behind, frame, result=error.result)
    if isinstance(error, SpecRefused):  # the service that asked is at fault, and no plugin
        return Failed(Code.INTERNAL, type(error).__name__, _cut(str(error)), frame=frame)
    code = Code.PLUGIN_UNAVAILABLE if isinstance(error, PluginUnavailable) else Code.PLUGIN_ERROR
    return Failed(
        code,
        _cut(type(error).__name__),
        text_of(error),
        traceback=_traceback_of(error),
        frame=frame,
        oom=is_out_of_memory(error),
        disk=is_out_of_disk(error),
    )


def text_of(error: BaseException) -> str:
    """Return the exception's text, exactly as str() gives it; a description when str() itself raises."""
    try:
        return _cut(str(error))
    except BaseException as second:  # noqa: BLE001 - border: plugin call; str() of its exception is its code
        return f"<{type(error).__name__}, whose str() raised {type(second).__name__}>"


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether the exception, or what caused it, says that memory or a thread's stack was refused."""
    return any(map(_says_no_memory, _causes(error)))


def is_out_of_disk(error: BaseException) -> bool:
    """Tell whether the exception, or what caused it, says that a file may not grow; a full disk is another matter."""
    return any(isinstance(link, OSError) and link.errno in (errno.EFBIG, errno.EDQUOT) for link in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _says_no_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if type(error).__module__.partition(".")[0] == "cv2" and getattr(error, "code", None) == _OPENCV_NO_MEMORY:
        return True
    # torch and Python's thread start say it in their text alone; a plugin's own exception class is not believed.
    if not isinstance(error, RuntimeError):
        return False
    text = text_of(error).lower()
    return any(words in text for words in _NO_MEMORY_TEXTS)


def _traceback_of(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(error, limit=-_MAX_FRAMES))
        return text[-_MAX_TEXT_CHARS:].encode(errors="replace").decode()
    except BaseException as second:  # noqa: BLE001 - border: plugin call; formatting runs the plugin's __str__
        return f"<no traceback: formatting it raised {type(second).__name__}>"


def _cut(text: str) -> str:
    text = text.encode(errors="replace").decode()  # a lone surrogate has no form on the pipe
    return text if len(text) <= _MAX_TEXT_CHARS else text[:_MAX_TEXT_CHARS] + " ..."
