"""Media files from the object store: ranges, entity tags, a week of caching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from api.etags import matches, unchanged
from api.services import Services, Use
from storyforge.errors import InvalidInput, NotFound, ObjectDamaged
from storyforge.storage.disposition import attachment
from storyforge.storage.ranges import ByteRange, parse_range
from storyforge.storage.store import Bucket, OpenObject, StoredObject

router = APIRouter(prefix="/media", tags=["media"])
_OPEN_BUCKETS = {"videos": Bucket.VIDEOS, "assets": Bucket.ASSETS}
_SIGNED_BUCKETS = {**_OPEN_BUCKETS, "exports": Bucket.EXPORTS}
# Up to here the answer is one piece, read in the thread that opened it: most media parts.
_WHOLE_BYTES = 1024 * 1024
_TOKEN_CACHE = "private, no-store"  # noqa: S105  a cache rule: a token's answer is nobody else's

# Operations


def serve(
    services: Services,
    request: Request,
    bucket: Bucket,
    key: str,
    *,
    cache_control: str | None = None,
    download_name: str = "",
) -> Response:
    """The object, the range of it that was asked for, or 304. Raises as the store does."""
    info = _look(services, bucket, key)
    rule = cache_control or info.cache_control
    if matches(request, info.etag):
        return unchanged(info.etag, cache_control=rule)
    headers = {"ETag": info.etag, "Cache-Control": rule, "Accept-Ranges": "bytes"}
    if download_name:
        headers["Content-Disposition"] = attachment(download_name)
    wanted = _wanted(request, info)
    if request.method == "HEAD":
        headers["Content-Length"] = str(info.size_bytes)
        return Response(media_type=info.content_type, headers=headers)
    opened = services.store.open(bucket, key, wanted)
    if wanted is not None:
        headers["Content-Range"] = opened.content_range
    return _body(opened, 200 if wanted is None else 206, headers)


def _look(services: Services, bucket: Bucket, key: str) -> StoredObject:
    try:
        info = services.store.head(bucket, key)
    except InvalidInput as exc:  # a name that no object can have
        raise NotFound("There is no such media file.") from exc
    if info is None:
        raise NotFound("There is no such media file.")
    return info


def _wanted(request: Request, info: StoredObject) -> ByteRange | None:
    """The range to send; none when If-Range names other content, or the range is not one."""
    condition = request.headers.get("if-range")
    if condition is not None and condition != info.etag:
        return None
    return parse_range(request.headers.get("range"))


def _body(opened: OpenObject, status: int, headers: dict[str, str]) -> Response:
    kind = opened.info.content_type
    if opened.length_bytes <= _WHOLE_BYTES:
        with opened:
            content = b"".join(opened)
        if len(content) != opened.length_bytes:
            raise ObjectDamaged("The media file is shorter than recorded.")
        return Response(content, status, headers, kind)
    headers["Content-Length"] = str(opened.length_bytes)
    return StreamingResponse(_chunks(opened), status, headers, kind)


def _chunks(opened: OpenObject) -> Iterator[bytes]:
    with opened:
        yield from opened


# Routes


@router.get("/signed/{token}/{bucket}/{key:path}")
@router.head("/signed/{token}/{bucket}/{key:path}", include_in_schema=False)
def signed(
    services: Use,
    request: Request,
    token: str,
    bucket: str,
    key: str,
    download: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """What a token opens until it expires, such as an export."""
    place = _SIGNED_BUCKETS.get(bucket)
    if place is None or not key.isascii():
        raise NotFound("There is no such media file.")
    services.signer.verify(token, bucket, key, download)
    return serve(services, request, place, key, cache_control=_TOKEN_CACHE, download_name=download)


@router.get("/{key:path}")
@router.head("/{key:path}", include_in_schema=False)
def media(services: Use, request: Request, key: str) -> Response:
    """A media file or a reference image by its key."""
    bucket = _OPEN_BUCKETS.get(key.partition("/")[0])
    if bucket is None:
        raise NotFound("There is no such media file.")
    return serve(services, request, bucket, key)
