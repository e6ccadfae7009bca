"""The start-up probe of an S3 server: what it, our credentials or the clocks lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.httpsession import URLLib3Session

from storyforge import clock
from storyforge.storage.probe import probe_store, run_check
from storyforge.storage.s3_errors import s3_errors
from storyforge.storage.store import Bucket, ObjectStore, ProbeCheck

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MIN_PART_BYTES = 5 * 1024 * 1024  # S3's smallest part, except the last
_DATA = b"StoryForge start-up probe"
_SKEW_LIMIT_S = 60.0  # signatures are refused from 15 minutes on; expiry is wrong long before
_SHORT_TTL_S = 1
_EXPIRED_AFTER_S = 2.5  # servers count whole seconds
_FETCH_TIMEOUT_S = 10
_OK, _FORBIDDEN, _BAD_REQUEST = 200, 403, 400

_Step = tuple[str, Callable[[], str], str]


def probe_s3(
    store: ObjectStore, client: S3Client, names: Mapping[Bucket, str]
) -> Iterator[ProbeCheck]:
    """Every check in order; ends at the first lack that the following ones would repeat."""
    for name, try_it, cure in _connection_steps(store, client):
        check = run_check(name, try_it, cure)
        yield check
        if not check.passed:
            return
    for check in probe_store(store):
        yield check
        if not check.passed:
            return
    key = f"probe/{uuid4()}"
    for name, try_it, cure in _extra_steps(store, client, names[Bucket.INTERNAL], key):
        yield run_check(name, try_it, cure)


def _connection_steps(store: ObjectStore, client: S3Client) -> Iterator[_Step]:
    def reach_and_clock() -> str:
        with s3_errors("list buckets"):
            try:
                headers = client.list_buckets()["ResponseMetadata"]["HTTPHeaders"]
            except ClientError as exc:
                if exc.response.get("Error", {}).get("Code") != "AccessDenied":
                    raise
                return ""  # keys that may not list buckets are fine when the buckets exist
        return _skew(headers.get("date", ""))

    def buckets() -> str:
        store.ensure_buckets()
        return ""

    yield (
        "reach, credentials and clock",
        reach_and_clock,
        "Start the server; set the endpoint, access key and secret key; set both clocks by NTP.",
    )
    yield "buckets", buckets, "Make the four buckets, or allow this key to make them."


def _skew(date: str) -> str:
    try:
        server_time = parsedate_to_datetime(date)
    except ValueError:
        return ""  # no Date header: nothing to compare with
    skew_s = (server_time - clock.utc_now()).total_seconds()
    if abs(skew_s) <= _SKEW_LIMIT_S:
        return ""
    return f"the server's clock is {skew_s:+.0f} s off this host's."


def _extra_steps(store: ObjectStore, client: S3Client, name: str, key: str) -> Iterator[_Step]:
    def metadata() -> str:
        put = store.put_bytes(Bucket.INTERNAL, key, _DATA, content_type="text/plain")
        info = store.head(Bucket.INTERNAL, key)
        if info is None or info.sha256 != put.sha256:
            return "user metadata is not kept."
        return "" if info.cache_control == put.cache_control else "Cache-Control is not kept."

    expiring = store.presigned_get(Bucket.INTERNAL, key, _SHORT_TTL_S)
    signed_at_s = clock.monotonic_s()

    def multipart() -> str:
        return _try_multipart(client, name, f"{key}-parts")

    def presigned() -> str:
        url = store.presigned_get(Bucket.INTERNAL, key, 60)
        status = _fetch(url)
        if status != _OK:
            return f"a presigned address gives {f'HTTP {status}' if status else 'no answer'}."
        tampered = url.replace(key, f"{key}-parts")
        return "" if _refused(tampered) else "a presigned address opens another object."

    def anonymous() -> str:
        url = store.presigned_get(Bucket.INTERNAL, key, 60).partition("?")[0]
        return "" if _refused(url) else "objects are readable without any credentials."

    def expired() -> str:
        clock.sleep_s(max(0.0, signed_at_s + _EXPIRED_AFTER_S - clock.monotonic_s()))
        return "" if _refused(expiring) else "a presigned address works after its expiry."

    def clean() -> str:
        store.delete_many(Bucket.INTERNAL, [key, f"{key}-parts"])
        return ""

    yield "metadata", metadata, "Use a server that keeps user metadata and Cache-Control."
    yield "multipart upload", multipart, "Allow multipart uploads and their abort."
    yield "presigned address", presigned, "Use a server that checks signature version 4 in URLs."
    yield "private buckets", anonymous, "Remove public policies and ACLs from the buckets."
    yield "presigned expiry", expired, "Use a server that checks X-Amz-Expires."
    yield "cleaning up", clean, "Allow deleting objects."


def _try_multipart(client: S3Client, name: str, key: str) -> str:
    """Two parts completed, then one upload begun, listed and aborted."""
    with s3_errors("upload in parts"):
        upload_id = client.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
        bodies = (bytes(_MIN_PART_BYTES), _DATA)
        etags = [
            client.upload_part(
                Bucket=name, Key=key, UploadId=upload_id, PartNumber=number, Body=body
            )["ETag"]
            for number, body in enumerate(bodies, start=1)
        ]
        client.complete_multipart_upload(
            Bucket=name,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={
                "Parts": [{"ETag": e, "PartNumber": n} for n, e in enumerate(etags, start=1)]
            },
        )
        size_bytes = client.head_object(Bucket=name, Key=key)["ContentLength"]
        if size_bytes != _MIN_PART_BYTES + len(_DATA):
            return "a multipart upload has the wrong size."
        upload_id = client.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
        open_uploads = client.list_multipart_uploads(Bucket=name, Prefix=key).get("Uploads", [])
        client.abort_multipart_upload(Bucket=name, Key=key, UploadId=upload_id)
    return "" if open_uploads else "an open multipart upload is not listed."


def _refused(url: str) -> bool:
    return _BAD_REQUEST <= _fetch(url) < 500  # noqa: PLR2004  HTTP statuses


def _fetch(url: str) -> int:
    """The status that a client without credentials gets; 0 when there is no answer."""
    session = URLLib3Session(timeout=_FETCH_TIMEOUT_S, proxies={})
    try:
        status: int = session.send(AWSRequest("GET", url).prepare()).status_code
    except (HTTPClientError, BotoCoreError):
        return 0
    finally:
        session.close()
    return status
