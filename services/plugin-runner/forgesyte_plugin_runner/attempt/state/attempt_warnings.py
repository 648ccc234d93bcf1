"""The warnings of one attempt: the newest go into the record, the older ones are kept beside it, all are counted."""

from collections import deque

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import MAX_WARNINGS, JobRecord
from forgesyte_contracts.warnings import IndexedWarning, JobWarning, Severity
from forgesyte_sandbox.shared import messages

MAX_OLDER_WARNINGS = 1000
"""Warnings kept beside those in the record; any beyond that are only counted."""


def job_warning(message: messages.Warning) -> JobWarning:
    """Return a sandbox's warning in the form the record keeps."""
    return JobWarning(text=message.text, frame_index=message.frame_index, severity=Severity(message.severity))


class AttemptWarnings:
    """The warnings one attempt knows: those in the record it started from, and its own behind them."""

    def __init__(self, record: JobRecord) -> None:
        self._newest = deque(record.warnings, maxlen=MAX_WARNINGS)
        self._dropped = self._first_index = record.warnings_dropped
        self._older: list[IndexedWarning] = []

    @property
    def count(self) -> int:
        """How many warnings the job has, including those that no record holds any more."""
        return self._dropped + len(self._newest)

    def add(self, warning: JobWarning) -> None:
        """Append a warning."""
        if len(self._newest) == MAX_WARNINGS:
            if len(self._older) < MAX_OLDER_WARNINGS:
                self._older.append((self._dropped, self._newest[0].cut()))
            self._dropped += 1
        self._newest.append(warning)

    def apply(self, record: JobRecord) -> JobRecord:
        """Return the record with the newest warnings in it."""
        emptied = record.model_copy(update={"warnings": (), "warnings_dropped": self._dropped})
        return moves.warned(emptied, self._newest)

    def beyond(self, record: JobRecord) -> list[IndexedWarning]:
        """Return every warning this attempt knows if `record`, as it was written, does not hold them all; else none."""
        if max(record.warnings_dropped, self._dropped) == self._first_index:
            return []
        newest = [warning.cut() for warning in self._newest]
        return [*self._older, *enumerate(newest, self._dropped)]
