"""The closed sets that the metrics' labels are taken from: nothing a client says ever becomes a label."""

from enum import StrEnum


class Transport(StrEnum):
    """The kinds of connections."""

    SOCKET = "ws"
    JOB_SOCKET = "ws_job"
    STREAM = "sse"


class Reason(StrEnum):
    """Why a connection ended."""

    CLIENT = "client"
    SLOW = "slow"
    SILENT = "silent"
    SHUTDOWN = "shutdown"


class Result(StrEnum):
    """What came of a connection that was asked for."""

    ACCEPTED = "accepted"
    AUTH = "auth"
    SESSION = "session"
    CAPACITY = "capacity"


class Passed(StrEnum):
    """Why a message was shown to nobody, or not to one client."""

    ENDED = "ended"
    FULL = "full"
    ORDER = "order"
    RECORD = "record"
