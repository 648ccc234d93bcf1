"""The fixtures of a running gateway, which every folder that tests the gateway shares."""

from tests.support.gateway import bus, own_server, play, served, server, shared_gateway, shared_server

__all__ = ["bus", "own_server", "play", "served", "server", "shared_gateway", "shared_server"]
