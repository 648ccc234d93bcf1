"""The command `forgesyte`: everything on one box, and the door to a server somewhere else.

It supervises nats-server and a plugin-runner as children, answers HTTP itself, and holds no product logic: whatever
it does with a job goes through the same HTTP routes as everybody's. It never imports av, cv2, numpy or a plugin.
"""

from importlib.metadata import version

__version__ = version("forgesyte-launcher")
