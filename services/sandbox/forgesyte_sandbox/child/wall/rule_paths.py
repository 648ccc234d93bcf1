"""The paths that every sandbox may read: interpreter, libraries, what is installed, and a few facts of the machine.

Found once, in the zygote. Each path is resolved, so that a package store behind symbolic links is readable too. Nothing
is read beneath a folder that is private to the services, even where it lies inside one of these.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .landlock import Access, Rule

_LIBRARY_FOLDERS = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/lib", "/lib64", "/usr/local/lib")
_SYSTEM_FILES = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone", "/etc/mime.types",
    "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/share/fonts",
    "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/sys/devices/system/cpu", "/sys/devices/system/node",
)  # fmt: skip
_PROGRAMS = ("/sbin/ldconfig", "/sbin/ldconfig.real")
"""ctypes.util.find_library() runs it; it reads the linker's cache and prints it."""

_LINKERS = ("/lib64/ld-*.so*", "/lib/ld-*.so*", "/usr/lib64/ld-*.so*")
_DEVICES_READ = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_DEVICES = ("/dev/null", *_DEVICES_READ)
_WHOLE_SYSTEM = frozenset(map(Path, ("/", "/usr", "/usr/local", "/home", "/root", "/tmp", "/var", "/opt")))  # noqa: S108 - refused as a rule
_MOST_LINKS_PER_FOLDER = 4
"""Entries of a package that are looked at for links into a store: a store links all of them or none."""


def common_rules(private: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Return the rules for every sandbox of this interpreter; call it after everything is imported.

    Args:
        private: folders beneath which nothing may be read.
    """
    kept_out = [Path(folder).resolve() for folder in private]
    rules: dict[Rule, None] = {}
    for path in _readable():
        rules.update(dict.fromkeys(carve(path, kept_out)))
    for program in (Path(sys.executable), *map(Path, _PROGRAMS), *_linkers()):
        rules[Rule(str(program.resolve()), Access.RUN)] = None
    rules.update((Rule(device, Access.DEVICE), None) for device in _DEVICES)
    return tuple(rule for rule in rules if not _is_covered(rule, rules))


def carve(path: Path, kept_out: Iterable[Path]) -> Iterator[Rule]:
    """Yield rules that allow reading `path`, but nothing beneath a folder of `kept_out`.

    Landlock has no rule that takes away. So a folder that contains a private one is allowed entry by entry, and as a
    whole for listing alone: without that nothing in it could be imported.
    """
    if any(path.is_relative_to(private) for private in kept_out):
        return
    inside = [private for private in kept_out if private.is_relative_to(path)]
    if not inside:
        yield Rule(str(path), Access.READ)
        return
    yield Rule(str(path), Access.LIST)
    with suppress(OSError):
        for entry in path.iterdir():
            if not entry.is_symlink():
                yield from carve(entry, inside)


def _is_covered(rule: Rule, rules: Iterable[Rule]) -> bool:
    """Whether a rule on a folder above allows the same: each rule costs every start some microseconds."""
    return any(other.access is rule.access and rule.path.startswith(f"{other.path}/") for other in rules)


def listed_private(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the folders that had to be carved: the names, not the content, of private files in them are visible."""
    return tuple(rule.path for rule in rules if rule.access is Access.LIST)


def _readable() -> Iterator[Path]:
    for text in (*_LIBRARY_FOLDERS, *_SYSTEM_FILES, *os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        if text.startswith("/"):
            yield Path(text).resolve()
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        if Path(prefix).resolve() not in _WHOLE_SYSTEM:
            yield Path(prefix).resolve()
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(name)).resolve()
    roots = [Path(entry).resolve() for entry in sys.path if entry and Path(entry).exists()]
    for root in (*roots, *_editable_roots()):
        if root not in _WHOLE_SYSTEM:
            yield root
            yield from _stores_behind(root)


def _editable_roots() -> Iterator[Path]:
    """Yield the source folders of editable installs, which an import hook may reach without an entry in sys.path."""
    for distribution in distributions():
        with suppress(OSError, ValueError, TypeError):
            facts = json.loads(distribution.read_text("direct_url.json") or "{}")
            url = urlsplit(facts.get("url", ""))
            if url.scheme == "file" and facts.get("dir_info", {}).get("editable"):
                yield Path(unquote(url.path)).resolve()


def _stores_behind(root: Path) -> Iterator[Path]:
    """Yield what symbolic links in a folder of packages point to: packages, or the store that holds their files."""
    if not root.is_dir():
        return
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Path(entry.path).resolve()
            elif entry.is_dir(follow_symlinks=False):
                yield from _linked_files(Path(entry.path))


def _linked_files(package: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(package) as entries:
        for entry, _ in zip(entries, range(_MOST_LINKS_PER_FOLDER), strict=False):
            if entry.is_symlink():
                target = Path(entry.path).resolve()
                # A store mirrors the package, so the same name stands there: that folder is readable as a whole.
                yield target.parent if target.parent.name == package.name else target
                return


def _linkers() -> Iterator[Path]:
    for pattern in _LINKERS:
        folder, _, name = pattern.rpartition("/")
        yield from Path(folder).glob(name)
