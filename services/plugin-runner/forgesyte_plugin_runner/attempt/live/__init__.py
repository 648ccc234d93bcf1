"""What watchers receive while an attempt runs. Never imports the writer of the record."""
