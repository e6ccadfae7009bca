"""Entity tags and conditional answers (RFC 9110, section 13)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

GZIP_SUFFIX = "-gz"


def strong_tag(*parts: object) -> str:
    """A strong tag from what makes a document what it is; quoted."""
    return f'"{"-".join(str(part) for part in parts)}"'


def gzip_tag(tag: str) -> str:
    """The tag of the same document gzipped: other bytes need another strong tag."""
    return f'{tag[:-1]}{GZIP_SUFFIX}"'


def matches(request: Request, *tags: str) -> bool:
    """Whether If-None-Match names one of these tags (compared weakly, as it must be)."""
    header = request.headers.get("if-none-match")
    if header is None:
        return False
    named = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in named or not named.isdisjoint(tags)


def unchanged(tag: str, *, cache_control: str = "no-cache") -> Response:
    """304: the client has it already."""
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": cache_control})


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip (a `q=0` says that it does not)."""
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = one.strip().partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
