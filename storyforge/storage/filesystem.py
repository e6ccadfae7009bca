"""The object store in a local directory: the default, which needs no server.

The record of an object (see `records`) is renamed into place last and names its content by hash,
so that a crash in between leaves the old pair or the new pair, never a mixed one. Publishing and
removing one key exclude each other across processes by lock files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from storyforge import clock
from storyforge.errors import NotFound, ObjectDamaged, StorageDenied
from storyforge.storage.disk import (
    locked,
    make_directories,
    open_without_links,
    remove_empty_directories,
    store_errors,
    sync_directory,
    sync_file,
    unlink_older,
)
from storyforge.storage.keys import check_key, check_prefix
from storyforge.storage.probe import probe_store
from storyforge.storage.ranges import ByteRange
from storyforge.storage.records import (
    Place,
    read_record,
    record_bytes,
    walk_contents,
    walk_records,
)
from storyforge.storage.store import (
    CHUNK_BYTES,
    IMMUTABLE_CACHE,
    Bucket,
    ListedObject,
    OpenObject,
    ProbeReport,
    StoredObject,
    read_all,
)
from storyforge.storage.tokens import TokenSigner, signed_media_path

_LOCK_STRIPES = 64  # few lock files, and still publishers of different keys rarely meet
_RACE_TRIES = 20  # a directory pruned, or content replaced, between two of our steps


class FilesystemStore:
    """Objects as files below `root`; `signer` makes the media addresses that the API serves."""

    def __init__(self, root: Path, signer: TokenSigner, base_url: str = "/media") -> None:
        self._signer = signer
        self._base_url = base_url
        with store_errors("open the object directory"):
            root.mkdir(parents=True, exist_ok=True)
            self._root = root.resolve(strict=True)
            self._uploads = self._root / ".uploads"
            self._locks = self._root / ".locks"
            for directory in (self._uploads, self._locks):
                make_directories(directory)
        self.ensure_buckets()

    def put_file(
        self,
        bucket: Bucket,
        key: str,
        path: Path,
        *,
        content_type: str,
        sha256: str | None = None,
        cache_control: str = IMMUTABLE_CACHE,
    ) -> StoredObject:
        """Copy a local file in; see the protocol."""
        try:
            source = path.open("rb")
        except FileNotFoundError as exc:
            raise ObjectDamaged(
                f"The local file for object {key} is missing; run the stage that makes it again."
            ) from exc
        with source:
            chunks = iter(lambda: source.read(CHUNK_BYTES), b"")
            return self._put(bucket, key, chunks, content_type, cache_control, sha256)

    def put_bytes(
        self,
        bucket: Bucket,
        key: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str = IMMUTABLE_CACHE,
    ) -> StoredObject:
        """Store a small document; see the protocol."""
        return self._put(bucket, key, iter([data]), content_type, cache_control, None)

    def head(self, bucket: Bucket, key: str) -> StoredObject | None:
        """The record of an object whose content is there too."""
        place = self._place(bucket, key)
        with store_errors(f"look at object {key}"):
            for _ in range(_RACE_TRIES):
                info = read_record(place, bucket, key)
                if info is None:
                    return None
                with contextlib.suppress(FileNotFoundError):
                    size_bytes = place.content(info.sha256).lstat().st_size
                    return info if size_bytes == info.size_bytes else None
        return None

    def open(self, bucket: Bucket, key: str, byte_range: ByteRange | None = None) -> OpenObject:
        """Open the content for reading; a later overwrite or delete does not disturb it."""
        place = self._place(bucket, key)
        for _ in range(_RACE_TRIES):
            info = self.head(bucket, key)
            if info is None:
                break
            first, length = 0, info.size_bytes
            if byte_range is not None:
                first, length = byte_range.resolve(info.size_bytes)
            with store_errors(f"read object {key}"), contextlib.suppress(FileNotFoundError):
                file = open_without_links(place.content(info.sha256))
                file.seek(first)
                return OpenObject(info, first, length, _chunks(file, key, length), file.close)
        raise _absent(bucket, key)

    def get_bytes(self, bucket: Bucket, key: str, limit_bytes: int) -> bytes:
        """A whole small object, checked against its recorded hash."""
        with self.open(bucket, key) as opened:
            data = read_all(opened, limit_bytes)
        if hashlib.sha256(data).hexdigest() != opened.info.sha256:
            raise _damaged(key)
        return data

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove the record first, so that nothing is served any more, then the content."""
        place = self._place(bucket, key)
        with store_errors(f"delete object {key}"), self._exclusive(place):
            info = read_record(place, bucket, key)
            place.record.unlink(missing_ok=True)
            if info is not None:
                place.content(info.sha256).unlink(missing_ok=True)
            remove_empty_directories(place.directory, self._root / bucket)

    def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Remove objects in the given order."""
        for key in keys:
            self.delete(bucket, key)

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ListedObject]:
        """Every object whose key begins with `prefix`, in byte order of the keys."""
        check_prefix(prefix)
        directory = self._directory(bucket, prefix.split("/")[:-1])
        with store_errors("list objects"):
            yield from walk_records(self._root / bucket, directory, prefix)

    def presigned_get(
        self, bucket: Bucket, key: str, ttl_s: int, download_name: str | None = None
    ) -> str:
        """An expiring path on this node, served by the API."""
        check_key(key)
        return signed_media_path(self._signer, self._base_url, bucket, key, ttl_s, download_name)

    def local_path(self, bucket: Bucket, key: str) -> Path | None:
        """The content's file; `NotFound` when there is no such object."""
        info = self.head(bucket, key)
        if info is None:
            raise _absent(bucket, key)
        return self._place(bucket, key).content(info.sha256)

    def abort_stale_uploads(self, older_than_s: float) -> int:
        """Remove half-written files, and content that no record names."""
        cleared = 0
        before = clock.utc_now().timestamp() - older_than_s
        with store_errors("clear stale uploads"):
            for path in list(self._uploads.iterdir()):
                cleared += unlink_older(path, before)
            for bucket in Bucket:
                for place, path in walk_contents(self._root / bucket):
                    with self._exclusive(place):
                        info = read_record(place, bucket, "")
                        if info is None or path != place.content(info.sha256):
                            cleared += unlink_older(path, before)
        return cleared

    def ensure_buckets(self) -> None:
        """Make the bucket directories."""
        with store_errors("make the bucket directories"):
            for bucket in Bucket:
                make_directories(self._root / bucket)

    def probe(self) -> ProbeReport:
        """Write, read, list, delete and sign in the directory itself."""
        return ProbeReport("local files", tuple(probe_store(self)))

    def close(self) -> None:
        """Nothing is held open."""

    def _place(self, bucket: Bucket, key: str) -> Place:
        """Where the key lies; refuses symbolic links on the way."""
        parts = check_key(key).split("/")
        return Place(self._directory(bucket, parts[:-1]), parts[-1])

    def _directory(self, bucket: Bucket, parts: Sequence[str]) -> Path:
        directory = self._root.joinpath(bucket, *parts)
        if os.path.realpath(directory) != os.fspath(directory):
            raise StorageDenied(
                f"The directory {'/'.join(parts)} of the {bucket} bucket is behind a symbolic "
                "link; the store follows none. Put a directory in its place."
            )
        return directory

    def _exclusive(self, place: Place) -> contextlib.AbstractContextManager[None]:
        stripe = zlib.crc32(os.fsencode(place.record)) % _LOCK_STRIPES
        return locked(self._locks / f"{stripe:02d}")

    def _put(
        self,
        bucket: Bucket,
        key: str,
        chunks: Iterator[bytes],
        content_type: str,
        cache_control: str,
        expected_sha256: str | None,
    ) -> StoredObject:
        place = self._place(bucket, key)
        with store_errors(f"store object {key}"), self._upload() as content:
            digest, size_bytes = hashlib.sha256(), 0
            for chunk in chunks:
                digest.update(chunk)
                size_bytes += content.write(chunk)
            sha256 = digest.hexdigest()
            if expected_sha256 is not None and sha256 != expected_sha256:
                raise ObjectDamaged(
                    f"The local file for object {key} differs from its recorded checksum; run the "
                    "stage that makes it again."
                )
            sync_file(content)
            info = StoredObject(bucket, key, size_bytes, sha256, content_type, cache_control)
            with self._upload() as record:
                record.write(record_bytes(info))
                sync_file(record)
                self._publish(place, info, Path(content.name), Path(record.name))
        return info

    def _publish(self, place: Place, info: StoredObject, content: Path, record: Path) -> None:
        """Rename content, then record, into place; then drop the content that was there."""
        with self._exclusive(place):
            for tries_left in reversed(range(_RACE_TRIES)):
                try:
                    make_directories(place.directory)
                    content.replace(place.content(info.sha256))
                    break
                except FileNotFoundError:  # the delete of a neighbour pruned the directory
                    if not tries_left:
                        raise
            old = read_record(place, info.bucket, info.key)
            record.replace(place.record)
            # One sync for both names: a record whose content is missing counts as no object.
            sync_directory(place.directory)
            if old is not None and old.sha256 != info.sha256:
                place.content(old.sha256).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _upload(self) -> Iterator[IO[bytes]]:
        """A new file beside the buckets that is gone afterwards, unless renamed away."""
        with tempfile.NamedTemporaryFile(dir=self._uploads, delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)


def _chunks(file: IO[bytes], key: str, length_bytes: int) -> Iterator[bytes]:
    left = length_bytes
    with store_errors(f"read object {key}"):
        while left:
            chunk = file.read(min(CHUNK_BYTES, left))
            if not chunk:
                raise _damaged(key)
            left -= len(chunk)
            yield chunk


def _absent(bucket: Bucket, key: str) -> NotFound:
    return NotFound(f"There is no object {key} in the {bucket} bucket.")


def _damaged(key: str) -> ObjectDamaged:
    return ObjectDamaged(
        f"Object {key} on disk differs from its recorded size or checksum; remove it and run the "
        "stage that made it again."
    )
