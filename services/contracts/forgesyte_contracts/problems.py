"""The one enum of what can go wrong, with what each code means to HTTP and whether a retry may help.

A ForgeSyteError carries a code, a sentence for the user and data as attributes. Nothing here knows a framework:
chassis turns a code into a response, and adds `Retry-After` where `retryable` is set.
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as one word that programs may switch on."""

    MSG_INVALID_JSON = "MSG_INVALID_JSON"
    MSG_MISSING_FIELD = "MSG_MISSING_FIELD"
    PLUGIN_TIMEOUT = "PLUGIN_TIMEOUT"
    PLUGIN_OOM = "PLUGIN_OOM"
    PLUGIN_CRASH = "PLUGIN_CRASH"
    PLUGIN_ERROR = "PLUGIN_ERROR"
    PLUGIN_UNAVAILABLE = "PLUGIN_UNAVAILABLE"
    PLUGIN_UNKNOWN = "PLUGIN_UNKNOWN"
    TOOL_UNKNOWN = "TOOL_UNKNOWN"
    OPTIONS_INVALID = "OPTIONS_INVALID"
    MEDIA_INVALID = "MEDIA_INVALID"
    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    DEVICE_UNAVAILABLE = "DEVICE_UNAVAILABLE"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"
    STORAGE_FULL = "STORAGE_FULL"
    DISK_LIMIT = "DISK_LIMIT"
    JOB_UNKNOWN = "JOB_UNKNOWN"
    JOB_FINISHED = "JOB_FINISHED"
    JOB_UNFINISHED = "JOB_UNFINISHED"
    REQUEST_INVALID = "REQUEST_INVALID"
    ROUTE_UNKNOWN = "ROUTE_UNKNOWN"
    KEY_MISSING = "KEY_MISSING"
    KEY_REFUSED = "KEY_REFUSED"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What a code means to a client: HTTP status, short title, and whether the same request may succeed later."""

    status: int
    title: str
    retryable: bool = False


CODE_FACTS: dict[Code, CodeFacts] = {
    Code.MSG_INVALID_JSON: CodeFacts(400, "The message is not JSON"),
    Code.MSG_MISSING_FIELD: CodeFacts(400, "A field of the message is missing"),
    Code.PLUGIN_TIMEOUT: CodeFacts(504, "The plugin took longer than its limit"),
    Code.PLUGIN_OOM: CodeFacts(507, "The plugin needed more memory than its limit"),
    Code.PLUGIN_CRASH: CodeFacts(500, "The plugin's process died"),
    Code.PLUGIN_ERROR: CodeFacts(500, "The plugin raised an error"),
    Code.PLUGIN_UNAVAILABLE: CodeFacts(409, "The plugin cannot run here"),
    Code.PLUGIN_UNKNOWN: CodeFacts(400, "There is no such plugin"),
    Code.TOOL_UNKNOWN: CodeFacts(400, "The plugin has no such tool"),
    Code.OPTIONS_INVALID: CodeFacts(422, "The options do not fit the tool"),
    Code.MEDIA_INVALID: CodeFacts(415, "The media cannot be used"),
    Code.MEDIA_TOO_LARGE: CodeFacts(413, "The media is larger than allowed"),
    Code.DEVICE_UNAVAILABLE: CodeFacts(409, "The device is not available"),
    Code.ATTEMPTS_EXHAUSTED: CodeFacts(500, "The job failed too many times"),
    Code.CANCELLED: CodeFacts(409, "The job was cancelled"),
    Code.INTERNAL: CodeFacts(500, "Something went wrong inside the service"),
    Code.STORAGE_FULL: CodeFacts(503, "The service cannot store anything at present", retryable=True),
    Code.DISK_LIMIT: CodeFacts(507, "The plugin wrote more to disk than its limit"),
    Code.JOB_UNKNOWN: CodeFacts(404, "There is no such job"),
    Code.JOB_FINISHED: CodeFacts(409, "The job is already finished"),
    Code.JOB_UNFINISHED: CodeFacts(409, "The job is not finished yet"),
    Code.REQUEST_INVALID: CodeFacts(422, "The request is not valid"),
    Code.ROUTE_UNKNOWN: CodeFacts(404, "There is no such route"),
    Code.KEY_MISSING: CodeFacts(401, "An API key is required"),
    Code.KEY_REFUSED: CodeFacts(403, "The API key may not do this"),
    Code.TOO_MANY_REQUESTS: CodeFacts(429, "Too many requests or jobs at once", retryable=True),
    Code.SERVICE_UNAVAILABLE: CodeFacts(503, "A part of the service is unavailable", retryable=True),
}


class ForgeSyteError(Exception):
    """The one root of our errors.

    Attributes:
        code: what went wrong, from the one enum.
        detail: what was found, what was expected and what to do next, in sentences for the user.
        data: facts for programs (`job_id`, `plugin`, ...); they go into the problem document beside `detail`.
    """

    def __init__(self, code: Code, detail: str, **data: str | int | float | None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.data = data

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without being changed."""
        return CODE_FACTS[self.code].retryable

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
