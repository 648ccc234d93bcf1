"""What watchers receive while an attempt runs. Never writes the record."""
