"""What each command of `forgesyte` does, and the command line that starts it."""
