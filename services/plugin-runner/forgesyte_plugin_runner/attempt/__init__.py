"""One claimed job while it runs here, from the fetch of its media to its ending.

Never imports what pulls or dispatches.
"""
