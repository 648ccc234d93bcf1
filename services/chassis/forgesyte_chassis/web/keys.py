"""API keys and their scopes: one authorise function for every route and socket.

Keys are configured as SHA-256 hashes, so a leaked configuration reveals no key. They are random tokens, not passwords:
a slow hash (argon2, bcrypt) was rejected, because against 128 random bits it gains nothing and costs each request time.
Without any key the ring is open, and require_loopback() then refuses to listen where others could reach the service.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from forgesyte_chassis.origins import is_loopback
from forgesyte_chassis.settings import ServiceSettings
from forgesyte_contracts.problems import Code, ForgeSyteError

SCOPES = frozenset({"read", "analyze", "stream", "plugins", "admin"})
ANYBODY = "anybody"
"""The name of a caller who needs no key."""

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Key:
    """One configured key: its name for logs, its scopes, and the SHA-256 of its text."""

    name: str
    scopes: frozenset[str]
    digest: bytes


class KeyRing:
    """The keys of one service. Without any key the ring is open: every caller may do everything, on loopback."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> Self:
        """Read the ring from `api_keys`.

        Raises:
            ValueError: an entry is not `name:scope+scope:sha256hex`, or two share a name. The text names the entry's
                position and never shows it: the operator may have put the key itself there.
        """
        keys = [_parse(number, entry) for number, entry in enumerate(settings.api_keys, start=1)]
        names = [key.name for key in keys]
        if len(set(names)) != len(names):
            raise ValueError("two API keys have the same name; give each key its own name")
        return cls(keys)

    @property
    def is_open(self) -> bool:
        """Whether no key is configured."""
        return not self._keys

    def authorise(self, presented: str | None, scope: str | None) -> str:
        """Decide whether a caller may do what requires `scope`.

        Args:
            presented: the key's text as presented_key() found it.
            scope: what the route requires; None means that every caller may use it.

        Returns:
            The key's name, or `anybody` if no key is needed.

        Raises:
            ForgeSyteError: KEY_MISSING if there is no key or it is unknown, KEY_REFUSED if it lacks the scope.
        """
        if self.is_open or scope is None:
            return ANYBODY
        if not presented:
            text = "Send an API key as X-API-Key, as `Authorization: Bearer <key>` or as the query parameter api_key."
            raise ForgeSyteError(Code.KEY_MISSING, text)
        key = self._find(presented)
        if key is None:
            raise ForgeSyteError(Code.KEY_MISSING, "The API key is unknown. Check that it was copied completely.")
        if scope not in key.scopes:
            text = (
                f"The API key {key.name!r} has the scopes {', '.join(sorted(key.scopes))}; this request needs {scope}."
            )
            raise ForgeSyteError(Code.KEY_REFUSED, text, scope=scope)
        return key.name

    def _find(self, presented: str) -> Key | None:
        digest = hashlib.sha256(presented.encode(errors="surrogateescape")).digest()
        found = None
        for key in self._keys:  # every key is compared, in constant time: the response time reveals nothing
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def _parse(number: int, entry: str) -> Key:
    name, _, rest = entry.partition(":")
    scopes_text, _, digest = rest.partition(":")
    scopes = frozenset(scopes_text.split("+"))
    if not name or not scopes <= SCOPES or not _SHA256_HEX.fullmatch(digest):
        wanted = "expected name:scope+scope:sha256hex with scopes of " + ", ".join(sorted(SCOPES))
        raise ValueError(f"API key entry {number} is invalid: {wanted}")
    return Key(name, scopes, bytes.fromhex(digest))


def presented_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """Return the key that a request carries: `X-API-Key`, then `Authorization: Bearer`, then the query's `api_key`."""
    lower = {name.lower(): value for name, value in headers.items()}
    if key := lower.get("x-api-key", "").strip():
        return key
    scheme, _, token = lower.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return query.get("api_key") or None


def require_loopback(host: str, ring: KeyRing) -> None:
    """Refuse to listen where others could reach a service without keys.

    Args:
        host: the address to listen on. The only name that counts as loopback is `localhost`: any other could point
            elsewhere tomorrow.
        ring: the service's keys.

    Raises:
        ForgeSyteError: KEY_MISSING, if the ring is open and the host is not loopback.
    """
    if ring.is_open and not is_loopback(host):
        text = f"No API key is configured, so anyone who can reach {host or 'this machine'} could use the service."
        raise ForgeSyteError(Code.KEY_MISSING, text + " Configure an API key, or listen on 127.0.0.1.", host=host)
