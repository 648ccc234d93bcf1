"""What is said of a job, serialised once for all who hear it. Never imports a connection."""
