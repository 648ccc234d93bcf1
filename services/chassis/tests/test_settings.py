import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import ServiceSettings, env_name, env_of, settings_with


class RoomSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="FORGESYTE_ROOM_")

    slots: int = 2
    """How many."""


def test_defaults_are_the_one_box_run():
    settings = RoomSettings()

    assert settings.bus_url == "nats://127.0.0.1:4222"
    assert settings.store_url == "./forgesyte-data/store"
    assert (settings.ops_host, settings.ops_port) == ("127.0.0.1", 9000)
    assert settings.drain_s == 30
    assert settings.api_keys == ()


def test_variables_carry_the_prefix_of_the_service(monkeypatch):
    monkeypatch.setenv("FORGESYTE_ROOM_SLOTS", "7")
    monkeypatch.setenv("FORGESYTE_ROOM_DRAIN_S", "1.5")
    monkeypatch.setenv("FORGESYTE_DRAIN_S", "9")

    settings = RoomSettings()

    assert (settings.slots, settings.drain_s) == (7, 1.5)


def test_api_keys_are_split_at_commas_and_spaces(monkeypatch):
    monkeypatch.setenv("FORGESYTE_ROOM_API_KEYS", "a:read:00, b:admin:11")

    assert RoomSettings().api_keys == ("a:read:00", "b:admin:11")


def test_settings_cannot_be_changed_after_they_were_read():
    settings = RoomSettings()

    with pytest.raises(ValidationError):
        settings.slots = 3


def test_the_bus_token_is_not_shown():
    assert "swordfish" not in repr(RoomSettings(bus_token="swordfish"))


def test_every_field_is_described():
    assert [name for name, field in RoomSettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "wrong", [{"ops_port": 70000}, {"drain_s": -1}, {"log_level": "LOUD"}], ids=lambda wrong: next(iter(wrong))
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        RoomSettings(**wrong)


def test_an_environment_made_for_a_model_is_read_back_by_it(monkeypatch):
    for name, value in env_of(RoomSettings, slots=7, drain_s=1.5, bus_url="nats://here:1").items():
        monkeypatch.setenv(name, value)

    settings = RoomSettings()

    assert (settings.slots, settings.drain_s, settings.bus_url) == (7, 1.5, "nats://here:1")


def test_given_settings_come_before_the_environment_and_unknown_ones_are_an_error(monkeypatch):
    monkeypatch.setenv("FORGESYTE_ROOM_SLOTS", "7")
    monkeypatch.setenv("FORGESYTE_ROOM_DRAIN_S", "1.5")

    settings = settings_with(RoomSettings, slots=3)

    assert (settings.slots, settings.drain_s) == (3, 1.5)
    with pytest.raises(ValueError, match="RoomSettings has no setting 'workers'"):
        settings_with(RoomSettings, workers=2)


def test_the_variable_of_a_field_that_a_model_lacks_is_an_error():
    assert env_name(RoomSettings, "slots") == "FORGESYTE_ROOM_SLOTS"
    with pytest.raises(ValueError, match=r"RoomSettings has no setting 'workers'; it has .*slots"):
        env_name(RoomSettings, "workers")
    with pytest.raises(ValueError, match="no setting 'workers'"):
        env_of(RoomSettings, slots=1, workers=2)


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("allowed_hosts", "*"),
        ("allowed_hosts", "http://box.example"),
        ("allowed_hosts", "box.example:http"),
        ("allowed_origins", "*"),
        ("allowed_origins", "null"),
        ("allowed_origins", "localhost:5173"),
        ("allowed_origins", "http://localhost:5173/"),
        ("allowed_origins", "https://*.example.org"),
    ],
)
def test_what_is_no_host_or_no_origin_is_refused_with_the_form_that_is_expected(monkeypatch, field, entry):
    monkeypatch.setenv(f"FORGESYTE_ROOM_{field.upper()}", f"good.example {entry}" if "hosts" in field else entry)

    with pytest.raises(ValueError, match=r"expected (NAME|SCHEME)"):
        RoomSettings()


def test_hosts_and_origins_are_separated_by_commas_or_spaces(monkeypatch):
    monkeypatch.setenv("FORGESYTE_ROOM_ALLOWED_HOSTS", "box.example, [::1]:80 old.example:81")
    monkeypatch.setenv("FORGESYTE_ROOM_ALLOWED_ORIGINS", "http://localhost:5173,https://pages.example")

    settings = RoomSettings()

    assert settings.allowed_hosts == ("box.example", "[::1]:80", "old.example:81")
    assert settings.allowed_origins == ("http://localhost:5173", "https://pages.example")
