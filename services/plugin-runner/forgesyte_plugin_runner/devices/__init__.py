"""What there is to compute on, and where a job is placed. Never imports torch."""
