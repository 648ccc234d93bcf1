from importlib.metadata import EntryPoint
from pathlib import Path

from forgesyte_sandbox.parent.installed_plugins import find_plugins

GROUP = "forgesyte.plugins"


def install(folder: Path, distribution: str, **plugins: str) -> None:
    """Put a distribution's metadata, and no code at all, into a folder."""
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in plugins.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))


def test_a_plugin_is_found_by_its_metadata_without_any_code(tmp_path, monkeypatch):
    install(tmp_path, "dist-one", seeker="no_such_module:Seeker")
    monkeypatch.syspath_prepend(tmp_path)

    (found,) = find_plugins(["seeker"])

    assert (found.name, found.entry_point, found.distribution) == ("seeker", "no_such_module:Seeker", "dist-one 1.0")
    assert found.fault is None


def test_two_plugins_of_one_name_are_both_refused_and_both_distributions_named(tmp_path, monkeypatch):
    install(tmp_path / "a", "dist-one", twin="one:Twin")
    install(tmp_path / "b", "dist-two", twin="two:Twin")
    for folder in ("a", "b"):
        monkeypatch.syspath_prepend(tmp_path / folder)

    (found,) = find_plugins(["twin"])

    assert found.fault is not None
    assert "dist-one 1.0 (one:Twin)" in found.fault
    assert "dist-two 1.0 (two:Twin)" in found.fault


def test_a_name_that_is_asked_for_and_not_installed_comes_back_with_a_fault():
    (found,) = find_plugins(["absent"], installed=[])

    assert found.fault is not None
    assert "no installed distribution offers the plugin 'absent'" in found.fault


def test_plugins_come_in_the_order_of_their_names_and_odd_names_are_left_out():
    installed = [EntryPoint(name, "m:P", GROUP) for name in ("zebra", "Not A Name", "ant")]

    assert [plugin.name for plugin in find_plugins(installed=installed)] == ["ant", "zebra"]
