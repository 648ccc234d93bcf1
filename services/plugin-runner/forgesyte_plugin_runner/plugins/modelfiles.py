"""Checks the model files a manifest names: present, regular, complete, not a text in place of a model, unchanged.

An interrupted download leaves an empty or tiny file; a login page or a Git LFS pointer leaves a text. All of them would
otherwise fail deep inside a model library, job after job, with a message about tensors.
"""

import codecs
import hashlib
import os
import stat
from io import RawIOBase
from pathlib import Path

from forgesyte_contracts.plugins import ModelFile

MIN_BYTES = 16
_CHUNK_BYTES = 1 << 20


def fault_of(model: ModelFile) -> str | None:
    """Return what is wrong with a model file and what to do; None when nothing is. Reads all of it if it has a sum.

    Blocking: call it in a thread.
    """
    path = Path(model.path)
    named = f"the model file {path} ({model.name})"
    if not path.is_absolute():
        return f"{named} has no absolute path; give it one, because a sandbox has its own working folder"
    try:
        # A pipe or a device would block in open().
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return f"{named} is missing; put it there"
    except OSError as fault:
        return f"{named} cannot be read: {fault.strerror}; make it readable for the runner"
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            return f"{named} is not a regular file; put the model itself there"
        if facts.st_size < MIN_BYTES:
            return f"{named} is truncated or corrupt: it has {facts.st_size} bytes; put the complete file there"
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return _fault_inside(file, named, model.sha256)
    except OSError as fault:
        return f"{named} cannot be read: {fault.strerror}; put the complete file there"
    finally:
        os.close(descriptor)


def _fault_inside(file: RawIOBase, named: str, sha256: str | None) -> str | None:
    head = file.read(MIN_BYTES) or b""
    # Nothing of the file is quoted: a manifest may name any file, and its reason is shown to every client.
    if _is_text(head):
        return f"{named} is text, as a pointer file of Git LFS is, and not a model; put the model itself there"
    if sha256 is None:
        return None
    digest = hashlib.sha256(head)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    if digest.hexdigest() == sha256.lower():
        return None
    return f"{named} has not the sha256 {sha256}; put the right version there"


def _is_text(head: bytes) -> bool:
    try:
        # Not final: the last character may be incomplete.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\ufeff" for character in text)
