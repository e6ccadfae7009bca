"""The object store protocol: what the node asks of any place that keeps files by key.

Keys are write-once by convention: a caller never gives one key two contents, and puts the same
content again freely after a lost reply. All methods block and may be called from many threads.

Errors, the same from every implementation: `NotFound` (no such object), `InvalidInput` (a bad
key), `StoreUnreachable` (passing; back off), `DiskFull` / `StorageFull` (no room),
`StorageDenied` (credentials or permissions), `ObjectDamaged` (size or checksum differ).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from storyforge.errors import SetupProblem, TooLarge
from storyforge.storage.ranges import ByteRange

IMMUTABLE_CACHE = "public, max-age=604800, immutable"  # 7 days: no key ever changes its content
CHUNK_BYTES = 256 * 1024  # a disk or socket read that is neither slow nor worth noticing in RSS


class Bucket(StrEnum):
    """The four roles of storage; the settings give each its real bucket name."""

    VIDEOS = "videos"
    ASSETS = "assets"
    EXPORTS = "exports"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the store holds it.

    sha256: hex digest of the content; empty for an object that this node did not put.
    server_etag: the store's own ETag without quotes, used when there is no sha256.
    """

    bucket: Bucket
    key: str
    size_bytes: int
    sha256: str
    content_type: str
    cache_control: str
    server_etag: str = ""

    @property
    def etag(self) -> str:
        """A strong HTTP entity tag, quoted: the content's sha256."""
        return f'"{self.sha256 or self.server_etag}"'


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One line of a listing; `modified_at` is the store's time of the last put."""

    key: str
    size_bytes: int
    modified_at: datetime


class OpenObject:
    """An object being read: iterate it for its chunks once, inside `with`.

    info: the whole object. first_byte, length_bytes: the part that the chunks hold.
    """

    def __init__(
        self,
        info: StoredObject,
        first_byte: int,
        length_bytes: int,
        chunks: Iterator[bytes],
        close: Callable[[], None],
    ) -> None:
        self.info = info
        self.first_byte = first_byte
        self.length_bytes = length_bytes
        self._chunks = chunks
        self._close = close

    @property
    def content_range(self) -> str:
        """The value of a Content-Range header for this part."""
        last = self.first_byte + self.length_bytes - 1
        return f"bytes {self.first_byte}-{last}/{self.info.size_bytes}"

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Give the file or connection back; safe to call twice."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class ProbeCheck:
    """One capability of the store: does it have it, what was seen, and what to do if not."""

    name: str
    passed: bool
    detail: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a start-up probe found, in the order tried; it ends at the first hopeless check."""

    store: str
    checks: tuple[ProbeCheck, ...]

    @property
    def passed(self) -> bool:
        """True when nothing is lacking."""
        return all(check.passed for check in self.checks)

    def require(self) -> None:
        """Raise `SetupProblem` naming each lack and its cure."""
        lacks = [f"{c.name}: {c.detail} {c.cure}".strip() for c in self.checks if not c.passed]
        if lacks:
            raise SetupProblem(f"The object store ({self.store}) lacks: " + "; ".join(lacks))


class ObjectStore(Protocol):
    """A place that keeps files by bucket and key."""

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
        """Store a local file and prove by reading back that it arrived whole.

        sha256: the recorded hex digest of the file; a file that differs from it raises
        `ObjectDamaged` and stores nothing. Without it the file is taken as it is.
        """
        ...

    def put_bytes(
        self,
        bucket: Bucket,
        key: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str = IMMUTABLE_CACHE,
    ) -> StoredObject:
        """Store a small document; the same promises as `put_file`."""
        ...

    def head(self, bucket: Bucket, key: str) -> StoredObject | None:
        """What is known of an object; None when there is none."""
        ...

    def open(self, bucket: Bucket, key: str, byte_range: ByteRange | None = None) -> OpenObject:
        """Open an object, or a part of it, for reading in chunks.

        Raises `NotFound`, and `RangeNotSatisfiable` when the range begins past the end.
        """
        ...

    def get_bytes(self, bucket: Bucket, key: str, limit_bytes: int) -> bytes:
        """A whole small object, checked against its sha256; `TooLarge` when over the limit."""
        ...

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Remove objects in the given order, so that an interruption keeps the later ones."""
        ...

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ListedObject]:
        """Every object whose key begins with `prefix`, in byte order of the keys."""
        ...

    def presigned_get(
        self, bucket: Bucket, key: str, ttl_s: int, download_name: str | None = None
    ) -> str:
        """A URL that reads this one object until it expires; a bearer token: never log it.

        The local stores give a path on this node. download_name: makes it an attachment.
        """
        ...

    def local_path(self, bucket: Bucket, key: str) -> Path | None:
        """Where the object's bytes lie on this host, for sendfile; None for a remote store."""
        ...

    def abort_stale_uploads(self, older_than_s: float) -> int:
        """Clear what interrupted puts left behind; gives how many were cleared."""
        ...

    def ensure_buckets(self) -> None:
        """Make the four buckets where they are missing."""
        ...

    def probe(self) -> ProbeReport:
        """Try every capability that the node needs; makes and removes its own objects."""
        ...

    def close(self) -> None:
        """Give connections back at the end of the process; the store is not used after."""
        ...


def read_all(opened: OpenObject, limit_bytes: int) -> bytes:
    """The rest of an open object as one value; `TooLarge` before reading when over the limit."""
    with opened:
        if opened.length_bytes > limit_bytes:
            raise TooLarge(
                f"Object {opened.info.key} has {opened.length_bytes} bytes; at most {limit_bytes} "
                "are read at once here. Stream it instead."
            )
        return b"".join(opened)
