"""Media files: recognise, open, decode, turn upright. Never imports `programs` or a plugin."""
