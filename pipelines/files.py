"""Saved files on this host: written whole or not at all, verified before they are trusted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from storyforge.domain.wire import Wire

_READ_BYTES = 1 << 20


class SavedFile(Wire):
    """A file under the job's folder, with what it must still be when it is read again."""

    path: str
    bytes: int
    sha256: str


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, then fsync and move it to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def describe(root: Path, path: Path) -> SavedFile:
    """The record of a file under `root`."""
    return SavedFile(
        path=str(path.relative_to(root)), bytes=path.stat().st_size, sha256=sha256_of(path)
    )


def is_whole(root: Path, path: str, size_bytes: int, sha256: str) -> bool:
    """Whether the file is there with that size and checksum."""
    found = root / path
    return found.is_file() and found.stat().st_size == size_bytes and sha256_of(found) == sha256


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
