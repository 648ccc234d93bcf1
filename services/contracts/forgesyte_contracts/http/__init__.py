"""The bodies that the services answer HTTP requests with.

Models alone, so that clients and generators can read them: never imports a web framework.
"""
