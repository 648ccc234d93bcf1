"""The error message that answers what can not be done."""

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.realtime import ErrorDetails, ErrorPayload, MessageType, envelope

from .message import Message


def complaint(code: Code, text: str, now_s: float, *, job_id: str | None = None) -> Message:
    """Make an error message.

    Args:
        code: what is wrong.
        text: what was expected, what was found, what to do next.
        now_s: monotonic seconds.
        job_id: the job it is about, if any.
    """
    details = ErrorDetails(error_code=code.value, message=text)
    payload = ErrorPayload(job_id=job_id, error=CODE_FACTS[code].title, details=details)
    return Message(MessageType.ERROR, envelope(payload), job_id=job_id, made_s=now_s)
