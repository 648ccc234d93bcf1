"""The paths that every sandbox may read: interpreter, libraries, what is installed, and a few facts of the machine.

Found once, in the zygote. Each path is resolved, so that a package store behind symbolic links is readable too. Nothing
is read beneath a folder that is private to the services, even where it lies inside one of these.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from forgesyte_sandbox.shared.wall_rules import is_too_wide

from .import_folders import import_folders
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
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


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
    for text in (*_LIBRARY_FOLDERS, *_SYSTEM_FILES):
        yield Path(text).resolve()
    given = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    standard = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    for text in (*(text for text in given if text.startswith("/")), *prefixes, *standard):
        path = Path(text).resolve()
        if not is_too_wide(path):
            yield path
    yield from import_folders()


def _linkers() -> Iterator[Path]:
    for pattern in _LINKERS:
        folder, _, name = pattern.rpartition("/")
        yield from Path(folder).glob(name)
