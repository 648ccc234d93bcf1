"""What each command of `forgesyte` does, and the command line that starts it. Never imports av, cv2, numpy or a
plugin."""
