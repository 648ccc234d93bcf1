"""The folders from which Python imports here, and what symbolic links in them lead to.

A folder of the machine that holds much else is left out, however it came into the search path: modules that lie
directly in it cannot be imported by plugin code. A link is followed only to Python code: one plugin that brings a link
to somewhere else must not open that place to all of them.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from forgesyte_sandbox.shared.wall_rules import is_too_wide

_CODE = frozenset({".py", ".so", ".pyd", ".pth"})
_OF_PACKAGES = (".dist-info", ".egg-info", ".libs", ".data")
_MOST_LINKS_PER_FOLDER = 4
"""Entries of a package that are looked at for links into a store: a store links all of them or none."""


def import_folders() -> Iterator[Path]:
    """Yield the folders, resolved; call it after everything is imported."""
    roots = [Path(entry).resolve() for entry in sys.path if entry and Path(entry).exists()]
    for root in (*roots, *_packages_behind_hooks(roots)):
        if not is_too_wide(root):
            yield root
            yield from _stores_behind(root)


def _packages_behind_hooks(roots: list[Path]) -> Iterator[Path]:
    """Yield the packages of editable installs that an import hook reaches, without an entry in sys.path."""
    for distribution in distributions():
        with suppress(OSError, ValueError, TypeError):
            facts = json.loads(distribution.read_text("direct_url.json") or "{}")
            url = urlsplit(facts.get("url", ""))
            if url.scheme != "file" or not facts.get("dir_info", {}).get("editable"):
                continue
            project = Path(unquote(url.path)).resolve()
            if not any(root.is_relative_to(project) for root in roots):
                yield from (init.parent for base in (project, project / "src") for init in base.glob("*/__init__.py"))


def _stores_behind(root: Path) -> Iterator[Path]:
    """Yield what symbolic links in a folder of packages point to: packages, or the store that holds their files."""
    if not root.is_dir():
        return
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_symlink():
                target = Path(entry.path).resolve()
                # A store keeps the names of what lies beside packages; another name may lead anywhere.
                if _is_code(target) or (target.name == entry.name and entry.name.endswith(_OF_PACKAGES)):
                    yield from _unless_too_wide(target)
            elif entry.is_dir(follow_symlinks=False):
                yield from _linked_files(Path(entry.path))


def _linked_files(package: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(package) as entries:
        for entry, _ in zip(entries, range(_MOST_LINKS_PER_FOLDER), strict=False):
            if entry.is_symlink() and _is_code(target := Path(entry.path).resolve()):
                # A store mirrors the package, so the same name stands there: that folder is readable as a whole.
                yield from _unless_too_wide(target.parent if target.parent.name == package.name else target)
                return


def _unless_too_wide(path: Path) -> Iterator[Path]:
    if not is_too_wide(path):
        yield path


def _is_code(target: Path) -> bool:
    """Whether a link leads to a module or to a package."""
    return (target / "__init__.py").is_file() if target.is_dir() else target.suffix in _CODE
