"""What /health says: whether job-api can do its work and jobs get on. Never imports a route."""
