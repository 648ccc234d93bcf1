"""What a container and its frames say: streams, counts, times, colours. Never imports what opens or decodes a file."""
