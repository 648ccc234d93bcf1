"""HTTP: server task, problem documents, API keys, ops port, what browsers may do. Never imports nats or the store."""
