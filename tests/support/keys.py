"""API keys as they stand in the settings."""

import hashlib


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key's text in hex, the last part of an entry of `api_keys`."""
    return hashlib.sha256(key.encode()).hexdigest()
