"""What a plugin may ask for: plain paths, and not too many."""

import pytest
from pydantic import ValidationError

from forgesyte_contracts.plugins import Permissions, PluginManifest


def test_a_manifest_without_permissions_asks_for_nothing():
    manifest = PluginManifest.model_validate({"name": "p", "version": "1.0.0", "tools": [{"name": "t"}]})

    assert not manifest.permissions
    assert str(manifest.permissions) == "nothing"


def test_what_is_asked_for_is_said_in_a_clause():
    asked = Permissions(read=("/data/maps", "/data/names.txt"), devices=("/dev/video0",))

    assert asked
    assert str(asked) == "to read /data/maps, /data/names.txt and the devices /dev/video0"


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        pytest.param({"read": ["maps"]}, "expected an absolute path without '..', found 'maps'", id="relative"),
        pytest.param({"read": ["/data/../etc"]}, "expected an absolute path without '..'", id="leads up"),
        pytest.param({"read": ["/data\n"]}, "expected an absolute path without '..'", id="not printable"),
        pytest.param({"read": ["/" + "x" * 1024]}, "at most 1024 characters", id="long"),
        pytest.param({"read": [f"/data/{n}" for n in range(33)]}, "at most 32 items", id="many"),
        pytest.param({"devices": ["/etc/shadow"]}, "expected the path of a device below /dev", id="no device"),
        pytest.param({"devices": ["/dev"]}, "expected the path of a device below /dev", id="all devices"),
        pytest.param({"write": ["/data"]}, "Extra inputs are not permitted", id="unknown"),
    ],
)
def test_a_bad_permission_is_refused_with_what_is_expected(asked, problem):
    with pytest.raises(ValidationError) as caught:
        Permissions.model_validate(asked)

    assert problem in str(caught.value)
