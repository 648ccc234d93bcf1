from forgesyte_launcher.settings import LauncherSettings


def test_the_launcher_has_no_address_of_a_bus_or_a_store_and_no_keys():
    process = {"ops_host", "ops_port", "log_format", "log_level", "drain_s", "allowed_hosts", "allowed_origins"}
    connections = {"max_connections", "max_connections_per_address", "head_timeout_s"}
    assert set(LauncherSettings.model_fields) == {*process, *connections, "allow_degraded_sandbox"}


def test_every_field_is_described():
    assert [name for name, field in LauncherSettings.model_fields.items() if not field.description] == []
