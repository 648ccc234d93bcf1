"""Reads the tables of a file of any kind that has them."""

from forgesyte_sandbox.child.media.sparse_file import SparseFile

from .matroska_tables import read_matroska_tables
from .mp4_tables import read_mp4_tables
from .other_tables import is_protected, is_scrambled, read_avi_tables, read_flv_script, read_stream_programs
from .signature import HEAD_BYTES, UNKNOWN, recognise
from .tables import Tables, Window


def read_tables(file: SparseFile) -> Tables:
    """Return what the file lists, as far as it can be told from what was kept of it."""
    tables, window = Tables(), Window(file)
    found = recognise(file.at(0, HEAD_BYTES))
    name = found.name
    if "MP4" in name or found is UNKNOWN:  # an MP4 may begin with any box
        read_mp4_tables(window, tables)
    elif "Matroska" in name:
        read_matroska_tables(window, tables)
    elif "AVI" in name:
        read_avi_tables(window, tables)
    elif "FLV" in name:
        read_flv_script(window, tables)
    elif "Windows Media" in name and is_protected(window):
        tables.encryption = "by Windows Media's rights management"
    if "transport" in name or found is UNKNOWN:  # there are three spacings of packets
        read_stream_programs(window, tables)
        if is_scrambled(window):
            tables.encryption = "as a scrambled transport stream"
    return tables
