"""What is printed, and how. Never imports commands, the stack or the client."""
