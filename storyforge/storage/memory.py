"""The object store in memory: the fake for tests and trials, with the same promises."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storyforge import clock
from storyforge.errors import NotFound, ObjectDamaged
from storyforge.storage.keys import check_key, check_prefix
from storyforge.storage.probe import probe_store
from storyforge.storage.ranges import ByteRange
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
from storyforge.storage.tokens import SECRET_BYTES, TokenSigner, signed_media_path


@dataclass(frozen=True, slots=True)
class _Held:
    info: StoredObject
    data: bytes
    modified_at: datetime


class MemoryStore:
    """Objects in a dict of this process; `signer` as for the filesystem store."""

    def __init__(self, signer: TokenSigner | None = None, base_url: str = "/media") -> None:
        self._signer = signer or TokenSigner(secrets.token_bytes(SECRET_BYTES))
        self._base_url = base_url
        self._held: dict[tuple[Bucket, str], _Held] = {}
        self._lock = threading.Lock()

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
        """Read a local file in; see the protocol."""
        try:
            data = path.read_bytes()
        except FileNotFoundError as exc:
            raise ObjectDamaged(
                f"The local file for object {key} is missing; run the stage that makes it again."
            ) from exc
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise ObjectDamaged(
                f"The local file for object {key} differs from its recorded checksum; run the "
                "stage that makes it again."
            )
        return self.put_bytes(
            bucket, key, data, content_type=content_type, cache_control=cache_control
        )

    def put_bytes(
        self,
        bucket: Bucket,
        key: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str = IMMUTABLE_CACHE,
    ) -> StoredObject:
        """Keep a copy of the data; see the protocol."""
        sha256 = hashlib.sha256(data).hexdigest()
        info = StoredObject(bucket, check_key(key), len(data), sha256, content_type, cache_control)
        with self._lock:
            self._held[bucket, key] = _Held(info, bytes(data), clock.utc_now())
        return info

    def head(self, bucket: Bucket, key: str) -> StoredObject | None:
        """What is known of an object; None when there is none."""
        with self._lock:
            held = self._held.get((bucket, check_key(key)))
        return held.info if held else None

    def open(self, bucket: Bucket, key: str, byte_range: ByteRange | None = None) -> OpenObject:
        """Open an object, or a part of it, for reading in chunks."""
        with self._lock:
            held = self._held.get((bucket, check_key(key)))
        if held is None:
            raise NotFound(f"There is no object {key} in the {bucket} bucket.")
        size_bytes = held.info.size_bytes
        first, length = byte_range.resolve(size_bytes) if byte_range else (0, size_bytes)
        chunks = (
            held.data[at : min(at + CHUNK_BYTES, first + length)]
            for at in range(first, first + length, CHUNK_BYTES)
        )
        return OpenObject(held.info, first, length, chunks, lambda: None)

    def get_bytes(self, bucket: Bucket, key: str, limit_bytes: int) -> bytes:
        """A whole small object."""
        return read_all(self.open(bucket, key), limit_bytes)

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with self._lock:
            self._held.pop((bucket, check_key(key)), None)

    def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Remove objects in the given order."""
        for key in keys:
            self.delete(bucket, key)

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ListedObject]:
        """Every object whose key begins with `prefix`, in byte order of the keys."""
        check_prefix(prefix)
        with self._lock:
            found = [
                ListedObject(key, held.info.size_bytes, held.modified_at)
                for (where, key), held in self._held.items()
                if where is bucket and key.startswith(prefix)
            ]
        yield from sorted(found, key=lambda listed: listed.key)

    def presigned_get(
        self, bucket: Bucket, key: str, ttl_s: int, download_name: str | None = None
    ) -> str:
        """An expiring path on this node, served by the API."""
        check_key(key)
        return signed_media_path(self._signer, self._base_url, bucket, key, ttl_s, download_name)

    def local_path(self, bucket: Bucket, key: str) -> Path | None:  # noqa: ARG002  the protocol has it
        """None: nothing lies on the disk."""
        check_key(key)
        return None

    def abort_stale_uploads(self, older_than_s: float) -> int:  # noqa: ARG002  the protocol has it
        """Nothing is ever left behind."""
        return 0

    def ensure_buckets(self) -> None:
        """The buckets are always there."""

    def probe(self) -> ProbeReport:
        """Put, read, list and delete."""
        return ProbeReport("memory", tuple(probe_store(self)))

    def close(self) -> None:
        """Nothing is held open."""
