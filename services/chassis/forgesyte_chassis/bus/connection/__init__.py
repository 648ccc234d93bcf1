"""One connection to NATS: its address, its client, its life. Never imports what travels over it."""
