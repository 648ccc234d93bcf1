"""The watched jobs, kept current by records and live messages. Never imports sockets."""
