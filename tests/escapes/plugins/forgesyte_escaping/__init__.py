"""Attempts to leave the sandbox, grouped by what they go for. It never imports anything of the services."""
