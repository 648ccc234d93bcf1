"""Shortens a record until it fits into its bucket: the oldest warnings go first, then the oldest attempts.

What is removed is not lost to the user: the store and the log keep it. What must not be removed (options, ids, state)
is limited where it enters the product.
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
    if record.warnings:
        kept = _newer_half(record.warnings)
        dropped = record.warnings_dropped + len(record.warnings) - len(kept)
        return record.model_copy(update={"warnings": kept, "warnings_dropped": dropped})
    if len(record.attempts) > 1:
        return record.model_copy(update={"attempts": _newer_half(record.attempts)})
    raise RecordUnwritable(
        Code.REQUEST_INVALID,
        f"The record of job {record.job_id} has {size_bytes} bytes; at most {MAX_RECORD_BYTES} are allowed. "
        "Submit the job again with smaller options.",
        job_id=record.job_id,
    )


def _newer_half[T](items: tuple[T, ...]) -> tuple[T, ...]:
    return items[(len(items) + 1) // 2 :] if len(items) > 1 else ()
