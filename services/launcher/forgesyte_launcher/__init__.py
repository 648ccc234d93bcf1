"""The command `forgesyte`: everything on one machine, and a client of a server on another.

It supervises nats-server and a plugin-runner as child processes, serves HTTP itself, and holds no product logic: it
submits and reads jobs over the same HTTP routes as any other client. It never imports av, cv2, numpy or a plugin.
Folders import downwards alone: commands, then stack and client, then terminal, then the modules of this folder.
"""

from importlib.metadata import version

__version__ = version("forgesyte-launcher")
