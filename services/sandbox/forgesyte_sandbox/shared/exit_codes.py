"""Exit codes by which a child tells its parent what it could not send."""

EXIT_NO_MEMORY = 71
"""Memory was refused, also for the last message."""
