"""A local server that speaks as much of the model hub's protocol as its own client needs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "abcd"
LARGE_FROM_BYTES = 1000  # from here on a file counts as LFS, with a sha256


@dataclass
class Repo:
    """One repository: its files, and how the server misbehaves with them.

    shown: files whose listing is of these other bytes. cuts: how many bytes of a path the next
    answers send before the connection breaks. gated: whether a token is needed.
    answers_commit: what the listing claims instead. gate: called before a file is sent.
    """

    files: dict[str, bytes]
    commit: str = COMMIT
    shown: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    gated: bool = False
    answers_commit: str = ""
    gate: Callable[[str], None] = lambda _path: None


@dataclass
class HubServer:
    """The repositories, and a record of what was asked and sent."""

    repos: dict[str, Repo] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    sent: dict[str, int] = field(default_factory=dict)
    url: str = ""
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self})
        )
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


class _Handler(BaseHTTPRequestHandler):
    """One request; the hub it belongs to is set on a subclass."""

    hub: ClassVar[HubServer]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its signature
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        self.hub.tokens.add(self.headers.get("Authorization") or "")
        if path.startswith("/api/models/"):
            name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
            self._listing(name, revision)
        elif "/resolve/" in path:
            name, _, rest = path.lstrip("/").partition("/resolve/")
            revision, _, file = rest.partition("/")
            self._file(name, revision, file, with_body=with_body)
        else:
            self._refuse(404, "")

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _listing(self, name: str, revision: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._refuse(404, "RepoNotFound")
        elif revision not in {"main", repo.commit}:
            self._refuse(404, "RevisionNotFound")
        else:
            answer = {"id": name, "sha": repo.answers_commit or repo.commit}
            body = json.dumps({**answer, "siblings": _siblings(repo)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _file(self, name: str, revision: str, file: str, *, with_body: bool) -> None:
        repo = self.hub.repos.get(name)
        if repo is None or revision != repo.commit or file not in repo.files:
            self._refuse(404, "EntryNotFound")
            return
        if repo.gated and not self.headers.get("Authorization"):
            self._refuse(403, "GatedRepo")
            return
        repo.gate(file)
        data = repo.files[file]
        start = self._start_of(file, len(data))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", repo.commit)
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if with_body:
            self._body(repo, file, start)

    def _start_of(self, file: str, size_bytes: int) -> int:
        """Where the asked range begins; sends the status and what belongs to it."""
        asked = self.headers.get("Range")
        if not asked:
            self.send_response(200)
            return 0
        self.hub.ranges.append(f"{file} {asked}")
        start = int(asked.removeprefix("bytes=").split("-")[0])
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{size_bytes - 1}/{size_bytes}")
        return start

    def _body(self, repo: Repo, file: str, start: int) -> None:
        data = repo.files[file]
        cuts = repo.cuts.get(file)
        end = start + cuts.pop(0) if cuts else len(data)
        self.hub.sent[file] = self.hub.sent.get(file, 0) + len(data[start:end])
        self.wfile.write(data[start:end])
        if end < len(data):
            self.close_connection = True
            self.connection.close()


def _siblings(repo: Repo) -> list[dict[str, Any]]:
    found = []
    for path, real in sorted(repo.files.items()):
        data = repo.shown.get(path, real)
        one: dict[str, Any] = {"rfilename": path, "size": len(data)}
        if len(data) >= LARGE_FROM_BYTES:
            checksum = hashlib.sha256(data).hexdigest()
            one["lfs"] = {"size": len(data), "sha256": checksum, "pointerSize": 130}
        header = b"blob %d\0" % len(data)
        one["blobId"] = hashlib.sha1(header + data).hexdigest()
        found.append(one)
    return found
