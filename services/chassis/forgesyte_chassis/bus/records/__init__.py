"""The buckets: jobs, runners and plugins, read, changed by compare-and-set and followed. Never imports the queue."""
