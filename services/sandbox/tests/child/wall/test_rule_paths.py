"""The paths a sandbox may read: stores behind links, editable installs, and what is private within them."""

import os
import sys
from pathlib import Path

import pytest

from forgesyte_sandbox.child.wall import rule_paths
from forgesyte_sandbox.child.wall.landlock import Access, Rule


def readable(rules):
    return {rule.path for rule in rules if rule.access is Access.READ}


def test_a_folder_without_private_ones_is_readable_as_a_whole(tmp_path):
    assert list(rule_paths.carve(tmp_path, [Path("/elsewhere")])) == [Rule(str(tmp_path), Access.READ)]


def test_what_is_private_is_left_out_and_what_is_beside_it_stays(tmp_path):
    for name in ("package", "data/store", "data/other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "module.py").touch()
    rules = list(rule_paths.carve(tmp_path, [tmp_path / "data" / "store"]))

    assert readable(rules) == {str(tmp_path / name) for name in ("package", "module.py", "data/other")}
    assert rule_paths.listed_private(rules) == (str(tmp_path), str(tmp_path / "data"))


def test_a_folder_in_a_private_one_is_not_readable(tmp_path):
    assert list(rule_paths.carve(tmp_path / "run", [tmp_path])) == []


def test_a_link_into_a_private_folder_gives_no_rule(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    rules = list(rule_paths.carve(tmp_path, [tmp_path / "data"]))

    assert readable(rules) == set()


@pytest.mark.parametrize("kind", ["package", "file"])
def test_a_package_store_behind_links_is_readable(tmp_path, monkeypatch, kind):
    store, site = tmp_path / "store" / "thing", tmp_path / "site"
    store.mkdir(parents=True)
    site.mkdir()
    (store / "__init__.py").write_text("")
    if kind == "package":
        (site / "thing").symlink_to(store)
    else:
        (site / "thing").mkdir()
        (site / "thing" / "__init__.py").symlink_to(store / "__init__.py")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])

    assert {str(site), str(store)} <= readable(rule_paths.common_rules())


def test_interpreter_and_libraries_are_readable_and_home_folders_are_not():
    rules = rule_paths.common_rules()

    stdlib = Path(os.__file__).parent.resolve()
    assert any(stdlib.is_relative_to(path) for path in readable(rules))
    assert Rule(str(Path(sys.executable).resolve()), Access.RUN) in rules
    assert not readable(rules) & {"/", "/root", "/home", "/usr", "/etc", "/tmp", "/var"}


def test_a_link_to_anything_but_python_code_opens_nothing(tmp_path, monkeypatch):
    """A plugin that brings such a link would open its target to every plugin of the machine."""
    site, secrets = tmp_path / "site", tmp_path / "secrets"
    for folder in (site, secrets, secrets / "etc"):
        folder.mkdir()
    (secrets / "token").write_text("secret")
    (secrets / "etc" / "shadow").write_text("secret")
    for name, target in (("data", secrets), ("x.data", secrets), ("all", Path("/")), ("root", Path("/root"))):
        (site / name).symlink_to(target)
    (site / "etc").mkdir()
    (site / "etc" / "shadow").symlink_to(secrets / "etc" / "shadow")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    rules = rule_paths.common_rules()

    assert str(site) in readable(rules)
    assert not [rule for rule in rules if Path(rule.path).is_relative_to(secrets)]
    assert not readable(rules) & {"/", "/root", "/etc"}


@pytest.mark.parametrize("folder", ["/", "/etc", "/etc/ssl", "/root", "/home", "/home/alice", "/usr", "/tmp", "/srv"])
def test_a_folder_that_holds_much_else_is_never_readable_as_a_place_of_modules(monkeypatch, folder):
    monkeypatch.setattr(sys, "path", [*sys.path, folder])
    monkeypatch.setenv("LD_LIBRARY_PATH", folder)

    assert folder not in readable(rule_paths.common_rules())
