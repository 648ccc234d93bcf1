"""Shortens a record until it fits into its bucket: the oldest log tails go first, then warnings, then attempts.

What is removed is not lost: the store keeps warnings, and the runner's log tells of attempts. What must not be removed
(options, ids, state) is limited where it enters the product.
"""

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from forgesyte_contracts.jobs import MAX_ATTEMPTS_KEPT, MAX_WARNINGS, JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.streams import MAX_RECORD_BYTES

_MAX_TEXT_CHARS = 500


class RecordUnwritable(ForgeSyteError):
    """This record can never be written, however often it is tried.

    Code REQUEST_INVALID if it is too large even without warnings and old attempts; INTERNAL if it has a value that JSON
    cannot represent, or the bus refuses it permanently.
    """


def encoded(record: JobRecord) -> tuple[bytes, JobRecord]:
    """Return the record as JSON of at most MAX_RECORD_BYTES, and the record as it will be read back.

    Raises:
        RecordUnwritable: it does not fit, or could not be read back.
    """
    try:
        data = encode(record)
        return data, JobRecord.model_validate_json(data)
    except (PydanticSerializationError, UnicodeError, ValidationError) as error:
        text = f"The record of job {record.job_id} cannot be written as JSON: {str(error)[:_MAX_TEXT_CHARS]}"
        raise RecordUnwritable(Code.INTERNAL, text, job_id=record.job_id) from error


def encode(record: JobRecord) -> bytes:
    """Return the record as JSON of at most MAX_RECORD_BYTES.

    Raises:
        RecordUnwritable: it is too large even without warnings and old attempts.
    """
    record = record.model_copy(
        update={
            "warnings": tuple(warning.cut() for warning in record.warnings[-MAX_WARNINGS:]),
            "warnings_dropped": record.warnings_dropped + max(len(record.warnings) - MAX_WARNINGS, 0),
            "attempts": record.attempts[-MAX_ATTEMPTS_KEPT:],
        }
    )
    data = record.model_dump_json().encode()
    while len(data) > MAX_RECORD_BYTES:
        record = _smaller(record, len(data))
        data = record.model_dump_json().encode()
    return data


def _smaller(record: JobRecord, size_bytes: int) -> JobRecord:
    if any(attempt.log_tail for attempt in record.attempts[:-1]):
        return _without_oldest_tail(record)
    if record.warnings:
        kept = _newer_half(record.warnings)
        dropped = record.warnings_dropped + len(record.warnings) - len(kept)
        return record.model_copy(update={"warnings": kept, "warnings_dropped": dropped})
    if len(record.attempts) > 1:
        return record.model_copy(update={"attempts": _newer_half(record.attempts)})
    if record.attempts and record.attempts[-1].log_tail:
        return _without_oldest_tail(record)
    raise RecordUnwritable(
        Code.REQUEST_INVALID,
        f"The record of job {record.job_id} has {size_bytes} bytes; at most {MAX_RECORD_BYTES} are allowed. "
        "Submit the job again with smaller options.",
        job_id=record.job_id,
    )


def _without_oldest_tail(record: JobRecord) -> JobRecord:
    oldest = next(attempt for attempt in record.attempts if attempt.log_tail)
    shorter = oldest.model_copy(update={"log_tail": None})
    return record.model_copy(
        update={"attempts": tuple(shorter if attempt is oldest else attempt for attempt in record.attempts)}
    )


def _newer_half[T](items: tuple[T, ...]) -> tuple[T, ...]:
    return items[(len(items) + 1) // 2 :] if len(items) > 1 else ()
