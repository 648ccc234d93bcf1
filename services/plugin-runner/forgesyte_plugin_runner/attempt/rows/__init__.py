"""The rows of one attempt on their way into the store. Never writes the record."""
