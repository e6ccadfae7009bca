"""What is refused before a route sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from api.guards import SECURITY_HEADERS, BodyGuard
from tests.api.nodes import BASE, Node

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "path", ["/", "/v1/scenes", "/v1/nothing", "/health/live", "/static/app.css", "/media/x"]
)
def test_every_answer_has_the_security_headers(node: Node, path: str) -> None:
    answer = node.client.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8400", "", "[::2]:8400", "local host"],
)
def test_a_foreign_host_is_refused(node: Node, host: str) -> None:
    answer = node.client.get("/v1/scenes", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


@pytest.mark.parametrize("host", ["localhost:8400", "127.0.0.1:8400", "[::1]:8400", "LOCALHOST:9"])
def test_loopback_hosts_are_served(node: Node, host: str) -> None:
    assert node.client.get("/v1/scenes", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost:8400"},
        {"origin": "https://127.0.0.1:8400"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
    ],
)
def test_a_foreign_page_cannot_write(node: Node, headers: dict[str, str]) -> None:
    answer = node.client.post("/v1/scenes", json={}, headers=headers)
    assert answer.status_code == 403, answer.text
    assert node.client.get("/v1/scenes", headers=headers).json()["items"] == []


@pytest.mark.parametrize(
    "headers", [{}, {"origin": BASE}, {"origin": BASE, "sec-fetch-site": "same-origin"}]
)
def test_our_own_pages_and_plain_tools_can(node: Node, headers: dict[str, str]) -> None:
    assert node.client.post("/v1/scenes", json={}, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_a_body_that_does_not_say_json_is_refused(node: Node, kind: str) -> None:
    answer = node.client.post("/v1/scenes", content=b"{}", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_json_may_name_its_charset(node: Node) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert node.client.post("/v1/scenes", content=b"{}", headers=headers).status_code == 201


def test_a_long_body_is_refused_on_its_length_before_it_is_read() -> None:
    async def app(*_: Any) -> None:
        raise AssertionError("the route was reached")

    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent = run_guard(app, receive, [(b"content-length", b"2000")])
    assert sent[0]["status"] == 413


def test_a_body_without_length_is_refused_while_it_streams() -> None:
    chunks = iter([b"x" * 600, b"x" * 600])

    async def app(*_: Any) -> None:
        raise AssertionError("the route was reached")

    async def receive() -> Any:
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    sent = run_guard(app, receive, [(b"transfer-encoding", b"chunked")])
    assert sent[0]["status"] == 413


def run_guard(app: Any, receive: Any, headers: list[tuple[bytes, bytes]]) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/scenes",
        "query_string": b"",
        "server": ("127.0.0.1", 8400),
        "scheme": "http",
        "headers": [(b"content-type", b"application/json"), (b"host", b"127.0.0.1"), *headers],
    }
    asyncio.run(BodyGuard(app, 1000, 1000)(scope, receive, send))
    return sent


def test_bodies_up_to_the_limit_pass_whole(node: Node) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"title": "'
        yield b"x" * 100
        yield b'"}'

    answer = node.client.post("/v1/scenes", content=chunks(), headers=JSON)
    assert answer.json()["title"] == "x" * 100
    over = node.settings.limits.body_bytes + 1
    answer = node.client.post("/v1/scenes", content=b" " * over, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert str(node.settings.limits.body_bytes) in answer.json()["detail"]
