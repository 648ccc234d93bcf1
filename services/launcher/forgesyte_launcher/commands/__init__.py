"""What each command of `forgesyte` does, and the command line that starts it. Never imported by the other folders."""
