"""The buckets of jobs, runners and plugins: read, compare-and-set, follow. Never imports the work queue."""
