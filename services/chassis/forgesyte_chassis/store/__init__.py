"""Bytes at rest: blobs, row segments, warnings beyond the record. Never imports the bus or a web framework."""
