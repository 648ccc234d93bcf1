"""What watchers are sent while an attempt runs. Never writes the record."""
