"""The rows of one attempt on their way into the store. Never imports the writer of the record."""
