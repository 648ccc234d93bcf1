"""What answers HTTP: the server task, problem documents, keys, the ops port. Never imports nats or the store."""
