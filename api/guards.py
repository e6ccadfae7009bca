"""What every request passes before a route sees it: ids, headers, Host, Origin, body limits.

Pure ASGI, so that refusals happen before a body is read and errors carry all headers too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import UNEXPECTED, Problem, problem_of, problem_response
from storyforge import clock
from storyforge.errors import Forbidden, StoryForgeError, TooLarge, UnsupportedMediaType
from storyforge.ids import uuid7
from storyforge.images.intake import MEDIA_TYPES

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_JSON = frozenset({"application/json"})
_PICTURE_PATH = re.compile(r"/v1/scenes/[^/]+/reference/(?:style_frame|characters/[^/]+)")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CONTENT_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self' blob:",  # hls.js feeds the player through a blob: URL
    "connect-src": "'self'",
    "worker-src": "'self'",  # hls.js runs its worker from a file of ours (workerPath)
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{k} {v}" for k, v in _CONTENT_SOURCES.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_log = structlog.get_logger(__name__)


class OutermostGuard:
    """Gives each request an id and each answer its headers; answers what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        identity = str(uuid7())
        scope.setdefault("state", {})["request_id"] = identity
        started_s, answered = clock.monotonic_s(), False

        async def decorated(message: Message) -> None:
            nonlocal answered
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                answered = True
                _decorate(message, identity)
                _log_answer(scope, message["status"], clock.monotonic_s() - started_s)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                await self._app(scope, receive, decorated)
            except Exception:
                _log.exception("unexpected error", path=scope["path"])
                if scope["type"] != "http" or answered:
                    raise
                await _answer(scope, receive, decorated, UNEXPECTED)


class OriginGuard:
    """Only this host's own pages and tools may talk to us: checks Host, Origin, Fetch metadata.

    The Host check ends DNS rebinding; the port is free, so that an SSH tunnel works. The Origin
    must be the very address asked, so that another local site's page is as foreign as any.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on one connection."""
        if scope["type"] in {"http", "websocket"}:
            refusal = _foreign(scope, Headers(scope=scope))
            if refusal is not None:
                await _answer(scope, receive, send, problem_of(refusal))
                return
        await self._app(scope, receive, send)


class BodyGuard:
    """Bodies are JSON and small, or pictures where pictures go.

    Refused on their headers, or as soon as they grow too long.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, picture_bytes: int) -> None:
        self._app = app
        self._json = _BodyRule(_JSON, limit_bytes, "send JSON with Content-Type: application/json")
        self._picture = _BodyRule(
            MEDIA_TYPES, picture_bytes, f"send a picture as {', '.join(sorted(MEDIA_TYPES))}"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a body, or pass it on whole."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if headers is None or not _has_body(headers):
            await self._app(scope, receive, send)
            return
        rule = self._picture if _PICTURE_PATH.fullmatch(scope["path"]) else self._json
        try:
            rule.check_headers(headers)
            body = await rule.read(receive)
        except StoryForgeError as exc:
            await _answer(scope, receive, send, problem_of(exc))
            return
        if body is not None:  # None: the client left
            await self._app(scope, _replay(body, receive), send)


@dataclass(frozen=True)
class _BodyRule:
    """What the body of one kind of route may be."""

    media_types: frozenset[str]
    limit_bytes: int
    cure: str

    def check_headers(self, headers: Headers) -> None:
        """Raise TooLarge or UnsupportedMediaType before anything of the body is read."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limit_bytes:
            raise self._too_large()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in self.media_types:
            raise UnsupportedMediaType(f"The body came as '{kind[:80] or 'nothing'}'; {self.cure}.")

    async def read(self, receive: Receive) -> bytes | None:
        """The whole body; None when the client left. Raises TooLarge as soon as it is."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self.limit_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The body is over the limit of {self.limit_bytes} bytes; send a smaller one."
        )


def _decorate(message: Message, identity: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-Id"] = identity
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-cache")


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    # the path only: a query string may carry a token
    _log.info(
        "answered",
        method=scope.get("method", "WS"),
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )


def _foreign(scope: Scope, headers: Headers) -> Forbidden | None:
    host = headers.get("host", "")
    if _name_of(host) not in LOOPBACK_NAMES:
        return Forbidden(
            f"The Host '{host[:80]}' is not this node; use http://127.0.0.1 or http://localhost "
            "with the node's port."
        )
    if scope["type"] == "http" and scope["method"] not in _UNSAFE:
        return None
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    own = origin is None or origin.lower() == f"{_scheme(scope)}://{host}".lower()
    if own and site in {"none", "same-origin"}:
        return None
    return Forbidden(
        f"The page {(origin or site)[:80]} is not one of this node's; only its own pages may do this."
    )


def _scheme(scope: Scope) -> str:
    return "https" if scope["scheme"] in {"https", "wss"} else "http"


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "") if host.isprintable() else ""
    except ValueError:
        return ""


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: Iterable[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        for message in pending:
            return message
        return await receive()

    return replay


async def _answer(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get(
        "extensions", {}
    ):
        await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
        return
    response = problem_response(HTTPConnection(scope), problem)
    await response(scope, receive, send)
