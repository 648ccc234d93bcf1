"""A running server as a client uses it, over HTTP and WebSocket. Never imports commands or the stack."""
