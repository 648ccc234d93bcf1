"""Who is connected, what waits for each, and when one must go. Never imports what is watched."""
