"""When the frames of a job are shown, read without its rows: of the merged result, or as far as the job has come."""

from forgesyte_contracts.jobs import JobRecord

from .blobs import Store
from .row_units import row_units
from .rowtimes import FrameTimes


async def read_times(
    store: Store, record: JobRecord, *, from_frame: int = 0, limit: int | None = None
) -> FrameTimes | None:
    """Return when the frames are shown that have a row, in frame order.

    Args:
        store: the store.
        record: the job; `status` and `rows` decide what is read.
        from_frame: the first frame index wanted.
        limit: the maximum number of frames; None means all.

    Returns:
        The times; None when any of the rows were stored without, by a version that kept none.

    Raises:
        BlobMissing: a blob that the record names is missing.
        RowsDamaged: stored rows are not what was written.
    """
    found = FrameTimes()
    async for unit in row_units(store, record, from_frame):
        times = await unit.times(from_frame)
        if times is None:
            return None
        found.extend(times.part(0, None if limit is None else limit - len(found)))
        if len(found) == limit:
            break
    return found
