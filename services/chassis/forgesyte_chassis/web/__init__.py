"""HTTP: the server task, problem documents, API keys, the ops port. Never imports nats or the store."""
