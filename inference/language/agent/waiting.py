"""An HTTP transport whose waiting is watched, so that deadlines and cancels are seen at once.

httpx fixes a request's read timeout when the request begins, but an answer that comes word by word
has two: one for its first word and one for each that follows; and a job may be cancelled meanwhile.
So reads are cut into slices, and between them somebody else may raise.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

from storyforge import clock

_SLICE_S = 0.2


class _WatchedStream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, on_wait: Callable[[], None]) -> None:
        self._inner = inner
        self._on_wait = on_wait

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until_s = None if timeout is None else clock.monotonic_s() + timeout
        while True:
            self._on_wait()
            try:
                return self._inner.read(max_bytes, _SLICE_S)
            except httpcore2.ReadTimeout:
                if until_s is not None and clock.monotonic_s() >= until_s:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout)
        return _WatchedStream(inner, self._on_wait)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _WatchedBackend(httpcore2.SyncBackend):
    def __init__(self, on_wait: Callable[[], None]) -> None:
        self._on_wait = on_wait

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        inner = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _WatchedStream(inner, self._on_wait)


class _Body(httpx2.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        except httpcore2.TimeoutException as exc:
            raise httpx2.ReadTimeout(str(exc)) from exc
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as exc:
            raise httpx2.ReadError(str(exc)) from exc

    def close(self) -> None:
        self._inner.close()


class WatchedTransport(httpx2.BaseTransport):
    """Calls `on_wait` before every read and five times a second while one waits."""

    def __init__(self, on_wait: Callable[[], None]) -> None:
        self._pool = httpcore2.ConnectionPool(
            max_keepalive_connections=0, network_backend=_WatchedBackend(on_wait)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request over a connection of its own."""
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(asked)
        except httpcore2.TimeoutException as exc:
            raise httpx2.ConnectTimeout(str(exc)) from exc
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as exc:
            raise httpx2.ConnectError(str(exc)) from exc
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close what is open."""
        self._pool.close()
