"""Exit codes that tell the parent what a child could not send."""

EXIT_NO_MEMORY = 71
"""Memory was refused, even for the last message."""
