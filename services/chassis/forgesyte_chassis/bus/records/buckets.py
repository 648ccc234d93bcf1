"""Reads and writes of single keys of a bucket, always answered by the leader.

nats-py's own KeyValue is not used: its update(last=0) silently creates, and whether it reads from a follower depends
on a flag it found when it was opened.
"""

import base64
from dataclasses import dataclass

from forgesyte_chassis.bus.connection.connection import REQUEST_LIMIT_S, Connection
from forgesyte_chassis.bus.errors import ApiRefusal
from forgesyte_chassis.bus.provision import key_subject, stream_of

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_MARKER_TTL = "3600s"
OPERATION_HEADER = "KV-Operation"


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a key, and the revision (stream sequence) of its write."""

    data: bytes
    revision: int


class BucketStore:
    """One bucket on one connection."""

    def __init__(self, connection: Connection, bucket: str) -> None:
        self.connection = connection
        self.name = bucket

    async def read(self, key: str, *, timeout_s: float = REQUEST_LIMIT_S) -> Value | None:
        """Return the value as the leader has it; None if there is none.

        Raises:
            BusUnavailable: no answer within `timeout_s` seconds.
        """
        try:
            answer = await self.connection.api(
                f"STREAM.MSG.GET.{stream_of(self.name)}",
                {"last_by_subj": key_subject(self.name, key)},
                timeout_s=timeout_s,
            )
        except ApiRefusal as refusal:
            if refusal.is_message_missing:
                return None
            raise
        message = answer["message"]
        if "hdrs" in message and OPERATION_HEADER.encode() in base64.b64decode(message["hdrs"]):
            return None
        return Value(base64.b64decode(message.get("data", "")), message["seq"])

    async def write(
        self, key: str, data: bytes, *, expected: int | None = None, timeout_s: float = REQUEST_LIMIT_S
    ) -> int:
        """Write a key.

        Args:
            key: the key.
            data: the value.
            expected: the revision the key must still have, 0 for "never written"; None writes unconditionally.
            timeout_s: how long to wait for the acknowledgement, in seconds.

        Returns:
            The new revision.

        Raises:
            ApiRefusal: the key has another revision (`is_lost_race`).
            BusUnavailable: no acknowledgement; the write may have succeeded.
        """
        headers = None if expected is None else {_EXPECTED: str(expected)}
        answer = await self.connection.ask(key_subject(self.name, key), data, headers=headers, timeout_s=timeout_s)
        return int(answer["seq"])

    async def remove(self, key: str, *, expected: int | None = None) -> None:
        """Remove a key; a marker for watchers stays for an hour. Raises as `write` does."""
        headers = {OPERATION_HEADER: "PURGE", "Nats-Rollup": "sub", "Nats-TTL": _MARKER_TTL}
        if expected is not None:
            headers[_EXPECTED] = str(expected)
        await self.connection.ask(key_subject(self.name, key), headers=headers)
