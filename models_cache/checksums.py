"""Checksums of files, and the memory of which files were found whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

_BLOCK_BYTES = 1 << 20
_SAFETENSORS_HEADER_MAX_BYTES = 100_000_000  # the format's own limit
_LENGTH_BYTES = 8

Stamp: TypeAlias = tuple[int, int, int]
"""Size, modification and change time in ns: any ordinary write to the file changes it."""


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str:
    """sha256 (hex) of a file; `on_bytes` hears of each block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            on_bytes(len(block))
    return digest.hexdigest()


def git_blob_sha1(path: Path) -> str:
    """The id that git gives a file; the hub tells no other checksum of small files."""
    data = path.read_bytes()
    header = b"blob %d\0" % len(data)
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()


def stamp_of(path: Path) -> Stamp:
    """What changes whenever the file is written to."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_safetensors(path: Path) -> bool:
    """Whether the file has the layout of safetensors: a length, then that much JSON."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        fits = header_bytes <= min(size_bytes - _LENGTH_BYTES, _SAFETENSORS_HEADER_MAX_BYTES)
        if not fits:
            return False
        try:
            return isinstance(json.loads(file.read(header_bytes)), dict)
        except (ValueError, RecursionError):
            return False


def read_stamps(path: Path) -> Mapping[str, Stamp]:
    """The remembered stamps by file path; empty when there is no (readable) memory."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): (int(one[0]), int(one[1]), int(one[2])) for name, one in found.items()}
    except (OSError, ValueError, TypeError, IndexError, AttributeError):
        return {}
