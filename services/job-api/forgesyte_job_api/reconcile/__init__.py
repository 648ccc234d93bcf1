"""Sends lost work again, ends jobs that cannot run, removes leftovers. Never imports submit or a route."""
