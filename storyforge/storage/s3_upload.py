"""One upload to S3: sent whole or in parts, read back, sent again when it did not arrive whole.

What the server stored is judged by its ETag, which is the MD5 of a plain object and the MD5 of
the parts' MD5s for a multipart one (with the number of parts). A server with other ETags (some
encrypt) is asked for the content itself.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from storyforge.errors import ObjectDamaged
from storyforge.storage.s3_errors import error_code, is_absent, s3_errors
from storyforge.storage.store import CHUNK_BYTES, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_UPLOADS = 3  # the first and two more after a damaged arrival
_MAX_PARTS = 10_000  # S3's limit
# The server noticed by itself that the bytes changed on the way.
_DAMAGED_CODES = frozenset({"BadDigest", "XAmzContentSHA256Mismatch"})
SHA256_METADATA = "sha256"  # the entry of the object's metadata that holds the hex digest


class Source(Protocol):
    """Content that can be sent again."""

    sha256: str
    size_bytes: int
    part_count: int

    def parts(self) -> Iterator[bytes]:
        """The content from its beginning, one part at a time; at least one, maybe empty."""
        ...


class BytesSource:
    """Content held in memory: one part."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.size_bytes = len(data)
        self.part_count = 1

    def parts(self) -> Iterator[bytes]:
        """The one part."""
        yield self._data


class FileSource:
    """A local file, hashed when opened and read again, part by part, when sent."""

    def __init__(self, path: Path, key: str, part_bytes: int) -> None:
        self._key = key
        try:
            self._file = path.open("rb")
        except FileNotFoundError as exc:
            raise ObjectDamaged(
                f"The local file for object {key} is missing; run the stage that makes it again."
            ) from exc
        digest, self.size_bytes = hashlib.sha256(), 0
        while chunk := self._file.read(CHUNK_BYTES):
            digest.update(chunk)
            self.size_bytes += len(chunk)
        self.sha256 = digest.hexdigest()
        self._part_bytes = max(part_bytes, -(-self.size_bytes // _MAX_PARTS))
        self.part_count = max(1, -(-self.size_bytes // self._part_bytes))

    def parts(self) -> Iterator[bytes]:
        """The parts; `ObjectDamaged` before the last one when the file changed meanwhile."""
        self._file.seek(0)
        digest = hashlib.sha256()
        for number in range(1, self.part_count + 1):
            part = self._file.read(self._part_bytes)
            digest.update(part)
            if number == self.part_count and digest.hexdigest() != self.sha256:
                raise ObjectDamaged(
                    f"The local file for object {self._key} changed while it was being stored; "
                    "run the stage that makes it again."
                )
            yield part

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class S3Upload:
    """Sends `source` to the bucket named `bucket_name` under the key of `info`."""

    def __init__(
        self, client: S3Client, bucket_name: str, info: StoredObject, source: Source
    ) -> None:
        self._client = client
        self._info = info
        self._source = source
        self._where: dict[str, Any] = {"Bucket": bucket_name, "Key": info.key}
        self._described: dict[str, Any] = {
            "ContentType": info.content_type,
            "CacheControl": info.cache_control,
            "Metadata": {SHA256_METADATA: info.sha256},
        }

    def run(self) -> StoredObject:
        """Upload until the read-back agrees; `ObjectDamaged` when it never does."""
        for _ in range(_UPLOADS):
            with s3_errors(f"store object {self._info.key}"):
                try:
                    etag = (
                        self._send_whole() if self._source.part_count == 1 else self._send_parts()
                    )
                except ClientError as exc:
                    if error_code(exc) not in _DAMAGED_CODES:
                        raise
                    continue
                if self._arrived(etag):
                    return self._info
        raise ObjectDamaged(
            f"Object {self._info.key} arrived damaged in the object store {_UPLOADS} times; check "
            "the network and the server's disks, then retry the job."
        )

    def _send_whole(self) -> str:
        """One PUT; gives the ETag to expect."""
        (data,) = self._source.parts()
        md5 = _md5(data)
        self._client.put_object(
            **self._where, **self._described, Body=data, ContentMD5=_base64(md5)
        )
        return md5.hex()

    def _send_parts(self) -> str:
        """A multipart upload, aborted when anything fails; gives the ETag to expect."""
        upload_id = self._client.create_multipart_upload(**self._where, **self._described)[
            "UploadId"
        ]
        try:
            sent: list[CompletedPartTypeDef] = []
            md5s = b""
            for number, part in enumerate(self._source.parts(), start=1):
                md5 = _md5(part)
                answer = self._client.upload_part(
                    **self._where,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=part,
                    ContentMD5=_base64(md5),
                )
                sent.append({"ETag": answer["ETag"], "PartNumber": number})
                md5s += md5
            self._complete(upload_id, sent)
        except BaseException:
            # What cannot be aborted now is cleared by abort_stale_uploads.
            with contextlib.suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**self._where, UploadId=upload_id)
            raise
        return f"{_md5(md5s).hex()}-{len(sent)}"

    def _complete(self, upload_id: str, sent: list[CompletedPartTypeDef]) -> None:
        try:
            self._client.complete_multipart_upload(
                **self._where, UploadId=upload_id, MultipartUpload={"Parts": sent}
            )
        except ClientError as exc:
            # A try whose reply was lost may have completed it: the read-back will tell.
            if error_code(exc) != "NoSuchUpload":
                raise

    def _arrived(self, expected_etag: str) -> bool:
        """Read back whether the server holds just what was sent."""
        try:
            head = self._client.head_object(**self._where)
        except ClientError as exc:
            if is_absent(exc):
                return False
            raise
        recorded = head.get("Metadata", {}).get(SHA256_METADATA, "")
        if head["ContentLength"] != self._info.size_bytes or recorded not in {
            "",
            self._info.sha256,
        }:
            return False
        return head.get("ETag", "").strip('"') == expected_etag or self._same_content()

    def _same_content(self) -> bool:
        body = self._client.get_object(**self._where)["Body"]
        with contextlib.closing(body):
            digest = hashlib.sha256()
            for chunk in body.iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest() == self._info.sha256


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
