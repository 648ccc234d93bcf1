"""Creates the streams and buckets that contracts name; doing it again changes nothing.

A bucket is a stream with a naming convention; creating it here, field by field, keeps direct gets off, so that the
leader answers every read. Existing streams are updated to the current settings. Services call this as Bus.ensure(),
the name in the contract.
"""

from typing import Any

from forgesyte_contracts.streams import BUCKETS, WORK, Bucket

from .connection.connection import Connection
from .errors import ApiRefusal

NS = 1_000_000_000
_PROVISION_LIMIT_S = 10.0
_SHORTEST_DUPLICATE_WINDOW_S = 120.0


def stream_of(bucket: str) -> str:
    """Return the name of the stream behind a bucket."""
    return f"KV_{bucket}"


def key_subject(bucket: str, key: str) -> str:
    """Return the subject behind a key of a bucket; `>` stands for all keys."""
    return f"$KV.{bucket}.{key}"


def _work_config(replicas: int) -> dict[str, Any]:
    return {
        "name": WORK.name,
        "subjects": list(WORK.subjects),
        "retention": "workqueue",
        "storage": "file",
        "discard": "old",
        "max_age": 0,
        "num_replicas": replicas,
        "allow_direct": False,
    }


def _bucket_config(bucket: Bucket, replicas: int) -> dict[str, Any]:
    age_s = bucket.ttl_s or 0.0
    return {
        "name": stream_of(bucket.name),
        "subjects": [key_subject(bucket.name, ">")],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "max_msg_size": bucket.max_value_bytes,
        "max_age": int(age_s * NS),
        "duplicate_window": int(min(age_s or _SHORTEST_DUPLICATE_WINDOW_S, _SHORTEST_DUPLICATE_WINDOW_S) * NS),
        "num_replicas": replicas,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "deny_delete": True,
        "allow_direct": False,
    }


async def provision(connection: Connection, *, replicas: int = 1) -> None:
    """Create every stream and bucket, or update it to the current settings.

    Args:
        connection: where.
        replicas: the number of servers that keep each: 1, 3 or 5.

    Raises:
        BusUnavailable: the server did not do it in time; calling again continues where it stopped.
    """
    for config in (_work_config(replicas), *(_bucket_config(bucket, replicas) for bucket in BUCKETS)):
        try:
            await connection.api(f"STREAM.CREATE.{config['name']}", config, timeout_s=_PROVISION_LIMIT_S)
        except ApiRefusal as refusal:
            if not refusal.is_name_in_use:
                raise
            await connection.api(f"STREAM.UPDATE.{config['name']}", config, timeout_s=_PROVISION_LIMIT_S)
