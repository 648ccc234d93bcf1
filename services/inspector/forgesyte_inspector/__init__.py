"""The service that knows the state of plugins, runners and devices, and reports it truthfully.

It runs no plugin and asks no runner: it reports what the heartbeats say, how old they are, and the last known state of
plugins that no runner has at the moment. Any number of replicas may run, and each may be lost at any time.
It never imports another service.
"""
