"""Plugins that do what plugins ordinarily do: their rows must be the same behind the wall and without it."""
