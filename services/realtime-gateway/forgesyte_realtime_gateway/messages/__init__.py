"""The messages about a job, serialised once for all clients. Never imports clients, watching or sockets."""
