"""What is printed, and how. Never imports a command, the stack or the client."""
