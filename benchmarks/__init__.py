"""Measurements of the product as its user starts it; nothing here is a test, and no figure fails a build."""
