"""The messages to clients that watch jobs: the envelope and its nine payloads, the flat events of the older socket,
the close codes, and how a record becomes messages. docs/realtime.md explains the protocol that these models define.
Never imports `http`: what a client asks for over HTTP has bodies of its own.
"""

from forgesyte_contracts.warnings import Severity

from .envelope import (
    SUBPROTOCOL,
    SUBPROTOCOL_KEY_PREFIX,
    CloseCode,
    RealtimeMessage,
    envelope,
    message_schemas,
    parse_message,
)
from .flat import ProgressEvent, flat_ending, flat_progress
from .order import NO_ORDER, LiveOrder, parse_order
from .payloads import (
    Box,
    ErrorDetails,
    ErrorPayload,
    FrameData,
    FramePayload,
    MessageType,
    MetadataPayload,
    PartialResultPayload,
    PartialRows,
    Payload,
    PingPayload,
    PluginMetadata,
    PluginStatus,
    PluginStatusPayload,
    PongPayload,
    ProgressPayload,
    ProgressStatus,
    WarningPayload,
)
from .state import (
    current_state,
    error_of,
    metadata_of,
    news_between,
    plugin_status_of,
    progress_of,
    warnings_of,
)

__all__ = [
    "NO_ORDER",
    "SUBPROTOCOL",
    "SUBPROTOCOL_KEY_PREFIX",
    "Box",
    "CloseCode",
    "ErrorDetails",
    "ErrorPayload",
    "FrameData",
    "FramePayload",
    "LiveOrder",
    "MessageType",
    "MetadataPayload",
    "PartialResultPayload",
    "PartialRows",
    "Payload",
    "PingPayload",
    "PluginMetadata",
    "PluginStatus",
    "PluginStatusPayload",
    "PongPayload",
    "ProgressEvent",
    "ProgressPayload",
    "ProgressStatus",
    "RealtimeMessage",
    "Severity",
    "WarningPayload",
    "current_state",
    "envelope",
    "error_of",
    "flat_ending",
    "flat_progress",
    "message_schemas",
    "metadata_of",
    "news_between",
    "parse_message",
    "parse_order",
    "plugin_status_of",
    "progress_of",
    "warnings_of",
]
