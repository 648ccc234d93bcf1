import pytest

from forgesyte_chassis.settings import ServiceSettings
from forgesyte_chassis.web.keys import ANYBODY, KeyRing, presented_key, require_loopback
from forgesyte_contracts.problems import Code, ForgeSyteError
from tests.support import digest_of


def a_ring(*entries):
    return KeyRing.from_settings(ServiceSettings(api_keys=entries))


def test_a_known_key_with_the_scope_gives_its_name():
    ring = a_ring(f"camera:read+analyze:{digest_of('k1')}", f"viewer:read:{digest_of('k2')}")

    assert ring.authorise("k1", "analyze") == "camera"
    assert ring.authorise("k2", "read") == "viewer"


@pytest.mark.parametrize(
    ("presented", "scope", "code"),
    [
        (None, "read", Code.KEY_MISSING),
        ("", "read", Code.KEY_MISSING),
        ("unknown", "read", Code.KEY_MISSING),
        ("Schlüssel\udcff", "read", Code.KEY_MISSING),
        ("k1", "admin", Code.KEY_REFUSED),
    ],
    ids=["no key", "empty key", "unknown key", "odd text", "scope lacking"],
)
def test_a_caller_without_the_right_is_refused(presented, scope, code):
    ring = a_ring(f"camera:read:{digest_of('k1')}")

    with pytest.raises(ForgeSyteError) as caught:
        ring.authorise(presented, scope)

    assert caught.value.code is code


def test_a_refusal_never_repeats_the_key():
    ring = a_ring(f"camera:read:{digest_of('k1')}")

    with pytest.raises(ForgeSyteError) as caught:
        ring.authorise("sup3rsecret", "read")

    assert "sup3rsecret" not in str(caught.value)


def test_a_public_route_needs_no_key():
    assert a_ring(f"camera:read:{digest_of('k1')}").authorise(None, None) == ANYBODY


def test_an_open_ring_lets_everybody_do_everything():
    ring = KeyRing()

    assert ring.is_open
    assert ring.authorise(None, "admin") == ANYBODY


@pytest.mark.parametrize(
    "entry",
    [
        "camera",
        "camera:read",
        ":read:" + "0" * 64,
        "camera::" + "0" * 64,
        "camera:fly:" + "0" * 64,
        "camera:read:plaintextkey",
        "camera:read:" + "0" * 63,
        "camera:read:" + "0" * 64 + ":more",
    ],
)
def test_an_invalid_entry_is_refused_without_being_shown(entry):
    with pytest.raises(ValueError, match="entry 1") as caught:
        a_ring(entry)

    assert entry not in str(caught.value)


def test_two_keys_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        a_ring("a:read:" + "0" * 64, "a:admin:" + "1" * 64)


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        ({"X-API-Key": "k"}, {}, "k"),
        ({"x-api-key": "k", "authorization": "Bearer other"}, {}, "k"),
        ({"Authorization": "Bearer k"}, {}, "k"),
        ({"authorization": "bearer  k "}, {}, "k"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, {}, None),
        ({"authorization": "Bearer"}, {}, None),
        ({}, {"api_key": "k"}, "k"),
        ({}, {"api_key": ""}, None),
        ({}, {}, None),
    ],
)
def test_the_key_is_found_where_clients_put_it(headers, query, found):
    assert presented_key(headers, query) == found


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
)
def test_an_open_service_may_listen_on_loopback(host):
    require_loopback(host, KeyRing())


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.7", "::ffff:10.0.0.7", "myhost", "localhost.example", "1"]
)
def test_an_open_service_is_refused_anywhere_else(host):
    with pytest.raises(ForgeSyteError, match="No API key is configured"):
        require_loopback(host, KeyRing())


def test_a_service_with_keys_may_listen_anywhere():
    require_loopback("0.0.0.0", a_ring(f"camera:read:{digest_of('k1')}"))
