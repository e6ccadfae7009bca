"""Files on disk and their records: written whole, synced, hashed, listed in publishing order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from storyforge.domain.segment import MediaFile

CONTENT_TYPES = {
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".vtt": "text/vtt",
    ".mp4": "video/mp4",
}


def record(folder: Path, names: Iterable[str]) -> tuple[MediaFile, ...]:
    """Sync and hash the named files of `folder`, keeping their order; the folder is synced too."""
    files = tuple(_record_one(folder / name) for name in names)
    sync_folder(folder)
    return files


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _record_one(path: Path) -> MediaFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        size = file.tell()
    return MediaFile(
        path=path.name, bytes=size, sha256=digest, content_type=CONTENT_TYPES[path.suffix]
    )
