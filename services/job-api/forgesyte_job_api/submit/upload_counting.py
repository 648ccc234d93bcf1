"""Counts an upload by how it ended: stored, refused, broken off by the client, or failed by the service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect

from forgesyte_contracts.problems import CODE_FACTS, ForgeSyteError
from forgesyte_job_api.metrics import ApiMetrics, UploadResult

from .upload import UploadStalled

_FAULTS_FROM = 500


@contextmanager
def counted_upload(metrics: ApiMetrics) -> Iterator[None]:
    """Count the upload that the block receives, by how the block ends."""
    result = UploadResult.STORED
    try:
        yield
    except BaseException as error:
        result = _result_of(error)
        raise
    finally:
        metrics.upload_ended(result)


def _result_of(error: BaseException) -> UploadResult:
    # Cancelled: the client has disconnected, or the service is stopping in the middle of the request.
    if isinstance(error, UploadStalled | ClientDisconnect | asyncio.CancelledError):
        return UploadResult.BROKEN_OFF
    if isinstance(error, ForgeSyteError) and CODE_FACTS[error.code].status < _FAULTS_FROM:
        return UploadResult.REFUSED
    return UploadResult.FAILED
