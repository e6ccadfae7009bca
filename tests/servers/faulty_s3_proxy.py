"""An HTTP proxy before an S3 server that fails on purpose, by a script of rules.

It keeps the Host header, so that signatures made for the proxy's own address hold behind it. Each
request takes the action of the first rule that matches it and has uses left; others just pass.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "expect", "transfer-encoding"}
_RST_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST, not FIN


@dataclass(frozen=True)
class Seen:
    """One request as it came in, and what was done with it."""

    method: str
    path: str
    query: Mapping[str, str]
    action: str = "pass"


@dataclass(frozen=True)
class Fail:
    """Answer with an S3 error without asking the server."""

    status: int
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stall:
    """Take the request and say nothing for so long, then hang up."""

    seconds: float


@dataclass(frozen=True)
class DropReply:
    """Let the server do it, and hang up instead of passing its answer on."""


@dataclass(frozen=True)
class Reset:
    """Read half of the body, then reset the connection; the server hears nothing."""


@dataclass(frozen=True)
class CutReply:
    """Pass the headers and half of the answer's body, then reset the connection."""


@dataclass(frozen=True)
class Corrupt:
    """Pass the answer on with other headers (None leaves one out), and its body's first byte flipped."""

    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bool = False


Action = Fail | Stall | DropReply | Reset | CutReply | Corrupt


@dataclass
class Rule:
    """Do `action` to requests that match, `times` times (None: for ever), after `skip` of them.

    query: names that must be in the query, e.g. {"partNumber"}; `without` those that must not.
    """

    action: Action
    times: int | None = 1
    method: str = ""
    path: str = ""
    query: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    skip: int = 0

    def takes(self, request: Seen) -> bool:
        """Count this request when it matches; true when the action is due."""
        names = request.query.keys()
        matches = (
            (not self.method or request.method == self.method)
            and self.path in request.path
            and self.query <= names
            and not self.without & names
        )
        if not matches or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultyS3Proxy:
    """A running proxy; `script` may be changed between requests, `seen` tells what came."""

    def __init__(self, upstream_port: int) -> None:
        self.script: list[Rule] = []
        self.seen: list[Seen] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            """The handler of this proxy."""

            owner = proxy
            upstream = upstream_port

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint_url(self) -> str:
        """Where S3 clients connect."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, method: str, *query: str, action: str = "") -> int:
        """How many requests of that method, with these query names and that action, came."""
        with self._lock:
            return sum(
                seen.method == method
                and set(query) <= seen.query.keys()
                and action in {"", seen.action}
                for seen in self.seen
            )

    def decide(self, request: Seen) -> Action | None:
        """What to do with a request, noted in `seen`."""
        with self._lock:
            action = next((rule.action for rule in self.script if rule.takes(request)), None)
            name = type(action).__name__ if action else "pass"
            self.seen.append(Seen(request.method, request.path, request.query, name))
        return action

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One client connection."""

    protocol_version = "HTTP/1.1"
    owner: FaultyS3Proxy
    upstream: int

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing: tests look at `seen`."""

    def _handle(self) -> None:
        try:
            self._act()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client gave up first

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815  the base class's names

    def _act(self) -> None:
        parts = urlsplit(self.path)
        query = {
            name: values[0]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        action = self.owner.decide(Seen(self.command, parts.path, query))
        length = int(self.headers.get("Content-Length") or 0)
        if isinstance(action, Reset):
            self.rfile.read(length // 2)
            self._hang_up()
            return
        body = self.rfile.read(length)
        if isinstance(action, Stall):
            self.owner.ended.wait(action.seconds)
            self._hang_up()
        elif isinstance(action, Fail):
            self._fail(action)
        else:
            self._forward(body, action)

    def _fail(self, action: Fail) -> None:
        document = (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{action.code}</Code>'
            "<Message>scripted</Message></Error>"
        ).encode()
        content = b"" if self.command == "HEAD" else document
        self.send_response(action.status)
        for name, value in action.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _forward(self, body: bytes, action: Action | None) -> None:
        status, headers, content = self._ask(body)
        if isinstance(action, DropReply):
            self._hang_up()
            return
        if isinstance(action, Corrupt):
            changed = {name.lower(): value for name, value in action.headers.items()}
            kept = [pair for pair in headers if pair[0].lower() not in changed]
            headers = kept + [(name, value) for name, value in changed.items() if value is not None]
            if action.body and content:
                content = bytes([content[0] ^ 0xFF]) + content[1:]
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if isinstance(action, CutReply):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self._hang_up()
            return
        self.wfile.write(content)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """The server's own answer, read whole."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            headers = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP_BY_HOP]
            if answer.getheader("Transfer-Encoding") or not answer.getheader("Content-Length"):
                headers.append(("Content-Length", str(len(content))))
            return answer.status, headers, content
        finally:
            connection.close()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self.connection.close()
