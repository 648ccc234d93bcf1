"""The service that knows how plugins, runners and devices are, and says it truthfully.

It runs no plugin and asks no runner: what it tells is what the heartbeats said, how old they are, and what was last
known of a plugin nobody has at the moment. Any number of replicas may run; each can be lost at any time.
"""
