"""What is read of a job and its rows, in each format. Never changes a record."""
