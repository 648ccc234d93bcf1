"""The queue of jobs that wait for a runner. Never imports records."""
