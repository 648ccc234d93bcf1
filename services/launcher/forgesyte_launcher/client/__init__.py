"""A running server as a client sees it, over HTTP and the socket. Never imports the stack."""
