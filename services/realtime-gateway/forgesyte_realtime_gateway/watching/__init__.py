"""The watched jobs, fed by records and live messages. Never imports an endpoint."""
