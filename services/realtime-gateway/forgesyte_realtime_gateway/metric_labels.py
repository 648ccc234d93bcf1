"""The closed sets of metric labels: nothing that a client sends ever becomes a label."""

from enum import StrEnum


class Transport(StrEnum):
    """The kinds of connection."""

    SOCKET = "ws"
    JOB_SOCKET = "ws_job"
    STREAM = "sse"


class Reason(StrEnum):
    """Why a connection ended."""

    CLIENT = "client"
    SLOW = "slow"
    SILENT = "silent"
    FLOOD = "flood"
    SHUTDOWN = "shutdown"


class Result(StrEnum):
    """Whether a connection was accepted, and if not, why."""

    ACCEPTED = "accepted"
    AUTH = "auth"
    SESSION = "session"
    CAPACITY = "capacity"


class DropReason(StrEnum):
    """Why a message was not delivered, to any client or to one of them."""

    ENDED = "ended"
    FULL = "full"
    ORDER = "order"
    RECORD = "record"
