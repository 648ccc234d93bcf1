"""The connected clients: what waits for each of them, and when one is closed. Never imports sockets or watching."""
