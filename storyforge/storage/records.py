"""How the filesystem store lays an object out: a content file named by hash, and its record.

    a/b/720p.m3u8,<sha256>    the content
    a/b/720p.m3u8,json        the record: hash, size, type and cache rule

A comma is in no key, so that these names meet no other object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storyforge.storage.disk import open_without_links
from storyforge.storage.store import Bucket, ListedObject, StoredObject

_RECORD = ",json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one object lies: its directory and the last part of its key."""

    directory: Path
    name: str

    @property
    def record(self) -> Path:
        """The file whose presence makes the object exist."""
        return self.directory / f"{self.name}{_RECORD}"

    def content(self, sha256: str) -> Path:
        """The file that holds the bytes with this hash."""
        return self.directory / f"{self.name},{sha256}"


def record_bytes(info: StoredObject) -> bytes:
    """The record as it is written."""
    return json.dumps(
        {
            "sha256": info.sha256,
            "sizeBytes": info.size_bytes,
            "contentType": info.content_type,
            "cacheControl": info.cache_control,
        }
    ).encode()


def read_record(place: Place, bucket: Bucket, key: str) -> StoredObject | None:
    """The object that the record tells of; None when there is none or it is unreadable.

    A record cut short by a power cut is no record: the put that wrote it never returned.
    """
    try:
        with open_without_links(place.record) as file:
            record = json.loads(file.read())
        return StoredObject(
            bucket,
            key,
            int(record["sizeBytes"]),
            str(record["sha256"]),
            str(record["contentType"]),
            str(record["cacheControl"]),
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def walk_records(base: Path, directory: Path, prefix: str) -> Iterator[ListedObject]:
    """Objects below `directory` whose key begins with `prefix`, in byte order of the keys.

    base: the bucket's directory; keys are relative to it.
    """
    for order, entry in _sorted_entries(directory):
        path = Path(entry.path)
        key = path.relative_to(base).as_posix().removesuffix(_RECORD)
        if order.endswith("/"):
            if f"{key}/".startswith(prefix) or prefix.startswith(f"{key}/"):
                yield from walk_records(base, path, prefix)
        elif entry.name.endswith(_RECORD) and key.startswith(prefix):
            listed = _listed(Place(directory, path.name.removesuffix(_RECORD)), key)
            if listed is not None:
                yield listed


def walk_contents(directory: Path) -> Iterator[tuple[Place, Path]]:
    """Every content file below `directory` with the place of its object."""
    for order, entry in _sorted_entries(directory):
        path = Path(entry.path)
        if order.endswith("/"):
            yield from walk_contents(path)
        elif not entry.name.endswith(_RECORD) and "," in entry.name:
            yield Place(directory, entry.name.rpartition(",")[0]), path


def _sorted_entries(directory: Path) -> list[tuple[str, os.DirEntry[str]]]:
    """Entries with the name they sort by: a directory's ends in a slash, as its keys go on.

    Links are left out: the store makes none.
    """
    try:
        with os.scandir(directory) as entries:
            found = [
                (f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name, entry)
                for entry in entries
                if not entry.is_symlink()
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []  # deleted while we walk
    # A record sorts by its object's name, which a comma would change.
    return sorted(found, key=lambda pair: pair[0].removesuffix(_RECORD))


def _listed(place: Place, key: str) -> ListedObject | None:
    info = read_record(place, Bucket.INTERNAL, key)
    if info is None:
        return None
    try:
        status = place.content(info.sha256).lstat()
        changed = place.record.lstat().st_mtime
    except FileNotFoundError:
        return None
    if status.st_size != info.size_bytes:
        return None
    return ListedObject(key, info.size_bytes, datetime.fromtimestamp(changed, tz=UTC))
