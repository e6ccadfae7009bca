"""The object store on any S3 server, by boto3.

Only what every S3 server has is used: put, get with Range, head, delete, list, multipart and
presigned GET. Bucket policies, conditional puts and additional checksums are not relied upon.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from storyforge import clock
from storyforge.errors import NotFound, ObjectDamaged, StoreUnreachable, StoryForgeError
from storyforge.settings import StoreSettings
from storyforge.storage.disposition import attachment
from storyforge.storage.keys import check_key, check_prefix
from storyforge.storage.ranges import ByteRange
from storyforge.storage.s3_client import bucket_names, make_client
from storyforge.storage.s3_errors import is_absent, s3_errors
from storyforge.storage.s3_probe import probe_s3
from storyforge.storage.s3_upload import SHA256_METADATA, BytesSource, FileSource, S3Upload
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

_READ_TRIES = 3  # of a small document whose transfer broke off or was damaged
_MAX_PRESIGN_S = 7 * 86_400  # the limit of signature version 4


class S3Store:
    """Objects on the server that `settings` name; safe for many threads.

    Raises `SetupProblem` when the settings are incomplete; talks to no server yet.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._names = bucket_names(settings)
        self._client = make_client(settings, settings.endpoint_url)
        # Signing needs no connection; a client elsewhere may know the server by another address.
        public_url = settings.public_endpoint_url
        self._signing = make_client(settings, public_url) if public_url else self._client
        self._part_bytes = settings.part_mb * 1024 * 1024

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
        """Upload a local file, in parts when it is long; holds one part in memory at a time."""
        with FileSource(path, check_key(key), self._part_bytes) as source:
            if sha256 is not None and source.sha256 != sha256:
                raise ObjectDamaged(
                    f"The local file for object {key} differs from its recorded checksum; run the "
                    "stage that makes it again."
                )
            info = StoredObject(
                bucket, key, source.size_bytes, source.sha256, content_type, cache_control
            )
            return S3Upload(self._client, self._names[bucket], info, source).run()

    def put_bytes(
        self,
        bucket: Bucket,
        key: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str = IMMUTABLE_CACHE,
    ) -> StoredObject:
        """Upload a small document."""
        source = BytesSource(data)
        info = StoredObject(
            bucket, check_key(key), len(data), source.sha256, content_type, cache_control
        )
        return S3Upload(self._client, self._names[bucket], info, source).run()

    def head(self, bucket: Bucket, key: str) -> StoredObject | None:
        """What the server knows of an object; None when there is none."""
        check_key(key)
        with s3_errors(f"look at object {key}"):
            try:
                answer = self._client.head_object(Bucket=self._names[bucket], Key=key)
            except ClientError as exc:
                if is_absent(exc):
                    return None
                raise
        return _stored(bucket, key, answer, answer["ContentLength"])

    def open(self, bucket: Bucket, key: str, byte_range: ByteRange | None = None) -> OpenObject:
        """Start the transfer of an object or a part of it; closing ends it."""
        check_key(key)
        asked: dict[str, Any] = {"Range": byte_range.header} if byte_range else {}
        with s3_errors(f"read object {key}"):
            try:
                answer = self._client.get_object(Bucket=self._names[bucket], Key=key, **asked)
            except ClientError as exc:
                if is_absent(exc):
                    raise _absent(bucket, key) from exc
                if byte_range is not None and _status(exc) == 416:  # noqa: PLR2004  HTTP status
                    return self._refuse_range(bucket, key, byte_range)
                raise
        body, length = answer["Body"], answer["ContentLength"]
        first, size_bytes = 0, length
        if byte_range is not None:
            try:
                size_bytes = _whole_size(answer.get("ContentRange", ""), key)
                first, _ = byte_range.resolve(size_bytes)
            except StoryForgeError:
                body.close()  # an answer that nobody reads holds its connection
                raise
        info = _stored(bucket, key, answer, size_bytes)
        return OpenObject(info, first, length, _chunks(body, key), body.close)

    def get_bytes(self, bucket: Bucket, key: str, limit_bytes: int) -> bytes:
        """A whole small object; a broken or damaged transfer is tried again, bounded."""
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                with self.open(bucket, key) as opened:
                    data = read_all(opened, limit_bytes)
            except StoreUnreachable:
                if not tries_left:
                    raise
                continue
            recorded = opened.info.sha256
            if not recorded or hashlib.sha256(data).hexdigest() == recorded:
                return data
        raise ObjectDamaged(
            f"Object {key} in the object store differs from its recorded checksum; remove it and "
            "run the stage that made it again."
        )

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        check_key(key)
        with s3_errors(f"delete object {key}"):
            try:
                self._client.delete_object(Bucket=self._names[bucket], Key=key)
            except ClientError as exc:
                if not is_absent(exc):
                    raise

    def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Remove objects one after the other: the S3 batch call promises no order."""
        for key in keys:
            self.delete(bucket, key)

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ListedObject]:
        """Every object whose key begins with `prefix`, page by page."""
        check_prefix(prefix)
        with s3_errors(f"list the {bucket} bucket"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._names[bucket], Prefix=prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield ListedObject(entry["Key"], entry["Size"], entry["LastModified"])

    def presigned_get(
        self, bucket: Bucket, key: str, ttl_s: int, download_name: str | None = None
    ) -> str:
        """A URL of the server itself; made without talking to it."""
        parameters = {"Bucket": self._names[bucket], "Key": check_key(key)}
        if download_name:
            parameters["ResponseContentDisposition"] = attachment(download_name)
        with s3_errors(f"sign the address of object {key}"):
            return self._signing.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=min(ttl_s, _MAX_PRESIGN_S)
            )

    def local_path(self, bucket: Bucket, key: str) -> Path | None:  # noqa: ARG002  the protocol has it
        """None: the bytes are elsewhere."""
        check_key(key)
        return None

    def abort_stale_uploads(self, older_than_s: float) -> int:
        """Abort multipart uploads that were begun longer ago than that."""
        cleared = 0
        before = clock.utc_now() - timedelta(seconds=older_than_s)
        with s3_errors("abort stale uploads"):
            pager = self._client.get_paginator("list_multipart_uploads")
            for name in self._names.values():
                for page in pager.paginate(Bucket=name):
                    for upload in page.get("Uploads", ()):
                        if upload["Initiated"] <= before:
                            self._client.abort_multipart_upload(
                                Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
                            )
                            cleared += 1
        return cleared

    def ensure_buckets(self) -> None:
        """Make the buckets that are missing."""
        for name in self._names.values():
            with s3_errors(f"make the bucket {name}"):
                try:
                    self._client.head_bucket(Bucket=name)
                except ClientError as exc:
                    if not is_absent(exc):
                        raise
                    self._make_bucket(name)

    def probe(self) -> ProbeReport:
        """Reach, credentials, clock, buckets, objects, multipart and presigned addresses."""
        return ProbeReport("S3", tuple(probe_s3(self, self._client, self._names)))

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()
        self._signing.close()

    def _make_bucket(self, name: str) -> None:
        region = self._settings.region
        where: dict[str, Any] = {}
        if region != "us-east-1":  # the one region that must not be named
            where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._client.create_bucket(Bucket=name, **where)
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            return  # another process of ours was first

    def _refuse_range(self, bucket: Bucket, key: str, byte_range: ByteRange) -> OpenObject:
        """Raise what `resolve` says of the object's real size."""
        info = self.head(bucket, key)
        if info is None:
            raise _absent(bucket, key)
        byte_range.resolve(info.size_bytes)
        raise StoreUnreachable(f"The object store refused a good range of object {key}.")


def _stored(bucket: Bucket, key: str, answer: Mapping[str, Any], size_bytes: int) -> StoredObject:
    return StoredObject(
        bucket,
        key,
        size_bytes,
        answer.get("Metadata", {}).get(SHA256_METADATA, ""),
        answer.get("ContentType", "application/octet-stream"),
        answer.get("CacheControl", ""),
        answer.get("ETag", "").strip('"'),
    )


def _chunks(body: Any, key: str) -> Iterator[bytes]:
    with s3_errors(f"read object {key}"):
        yield from body.iter_chunks(CHUNK_BYTES)


def _whole_size(content_range: str, key: str) -> int:
    size = content_range.rpartition("/")[2]
    if not size.isdigit():
        raise StoreUnreachable(
            f"The object store ignored the range asked of object {key}; it must answer Range "
            "requests. `storyforge doctor` shows what it lacks."
        )
    return int(size)


def _status(exc: ClientError) -> int:
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _absent(bucket: Bucket, key: str) -> NotFound:
    return NotFound(f"There is no object {key} in the {bucket} bucket.")
