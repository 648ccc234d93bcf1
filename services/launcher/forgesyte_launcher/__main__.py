"""`python -m forgesyte_launcher` is the command `forgesyte`."""

from .commands.cli import main

if __name__ == "__main__":
    main()
