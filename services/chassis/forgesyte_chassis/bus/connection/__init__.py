"""One connection to NATS: address, client, reconnects. Never imports work, records or other users of it."""
