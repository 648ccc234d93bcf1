"""What an attempt leaves in the store beside rows and result: tried for a while, and no job fails for want of it."""

import structlog

from forgesyte_chassis.store.warnings import write_warnings
from forgesyte_contracts.jobs import JobRecord
from forgesyte_plugin_runner.workplace import Workplace

from .attempt_state import AttemptState
from .store_retry import StoreLost
from .stored_result import write_record

log = structlog.get_logger(__name__)


async def keep_record(place: Workplace, record: JobRecord) -> None:
    """Keep the record as it stood at the ending."""
    try:
        await place.patience.persist(lambda: write_record(place.store, record))
    except StoreLost as fault:
        log.error("record not kept in the store", job_id=record.job_id, error=str(fault))


async def keep_warnings(place: Workplace, record: JobRecord, ledger: AttemptState) -> None:
    """Keep the attempt's warnings when the record, as last written, has no room for all of them."""
    warnings = ledger.beyond(record)
    if not warnings:
        return
    try:
        await place.patience.persist(lambda: write_warnings(place.store, record.job_id, record.attempt, warnings))
    except StoreLost as fault:
        log.error("older warnings not kept", job_id=record.job_id, count=len(warnings), error=str(fault))
