"""Makes the streams and buckets that contracts name, once or a hundred times with the same end.

A bucket is a stream by another name; making it here, field by field, keeps direct gets off, so that every read is
answered by the leader. Existing streams are brought to the present settings.
"""

from typing import Any

from forgesyte_contracts.streams import BUCKETS, WORK, Bucket

from .connection.connection import Connection
from .errors import ApiRefusal

NS = 1_000_000_000
_ENSURE_LIMIT_S = 10.0
_SHORTEST_DUPLICATE_WINDOW_S = 120.0


def stream_of(bucket: str) -> str:
    """The stream behind a bucket."""
    return f"KV_{bucket}"


def key_subject(bucket: str, key: str) -> str:
    """The subject behind a key of a bucket; `>` stands for all keys."""
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


async def ensure(connection: Connection, *, replicas: int = 1) -> None:
    """Make every stream and bucket, or bring it to the present settings.

    Args:
        connection: where.
        replicas: on how many servers each is kept, 1, 3 or 5.

    Raises:
        BusUnavailable: the bus did not do it in time; calling again goes on where it stopped.
    """
    for config in (_work_config(replicas), *(_bucket_config(bucket, replicas) for bucket in BUCKETS)):
        try:
            await connection.api(f"STREAM.CREATE.{config['name']}", config, timeout_s=_ENSURE_LIMIT_S)
        except ApiRefusal as refusal:
            if not refusal.is_name_in_use:
                raise
            await connection.api(f"STREAM.UPDATE.{config['name']}", config, timeout_s=_ENSURE_LIMIT_S)
