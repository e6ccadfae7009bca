"""The servers and processes of a node for a benchmark, in a folder that is thrown away."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from storyforge.database.engine import Database, open_database
from storyforge.database.migrate import upgrade
from storyforge.settings import DatabaseSettings
from tests.servers.postgres import PostgresServer, find_binaries, free_port
from tests.servers.valkey import Valkey

ROOT = Path(__file__).resolve().parents[1]
Kind = Literal["sqlite", "postgres"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgres")
_START_S = 60.0
_END_S = 10.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, wholly read."""

    status: int
    etag: str
    body: bytes


class Api:
    """One kept-alive connection to the API, as a page has; adds no thread and no parsing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_S)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request and its whole answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named["Content-Type"] = "application/json"
        self._connection.request(method, path, body, named)
        response = self._connection.getresponse()
        return Answer(response.status, response.headers.get("ETag", ""), response.read())

    def expect(
        self, status: int, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        """The same, and the benchmark ends if the answer is another one."""
        answer = self.send(method, path, body, **headers)
        if answer.status != status:
            said = answer.body[:400].decode("utf-8", "replace")
            raise SystemExit(f"{method} {path} answered {answer.status}, not {status}: {said}")
        return answer


@dataclass(frozen=True)
class Node:
    """Where everything is; `environment` is what its processes are started with."""

    folder: Path
    database: Database
    database_url: str
    bare_url: str
    broker_url: str
    api: Api
    environment: Mapping[str, str]
    ending: ExitStack
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a Python process that ends with the node."""
        process = _process(self.folder / f"{name}.log", argv, self.environment)
        self.processes[name] = self.ending.enter_context(process)

    def require_alive(self) -> None:
        """End the benchmark with the last words of a process that has died."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise SystemExit(f"The process '{name}' has ended:\n{self.log(name)}")

    def log(self, name: str) -> str:
        """The end of what a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]


@contextmanager
def running_node(folder: Path, kind: Kind, **settings: str) -> Iterator[Node]:
    """Valkey, a migrated database and the API process; workers are the benchmark's business.

    kind: SQLite with synchronous=FULL, or a PostgreSQL 15 of its own with fsync on.
    settings: STORYFORGE_* variables by name without the prefix, in lower case.
    """
    # a benchmark that is told to end takes its servers along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        valkey = Valkey(folder / "valkey")
        stack.callback(valkey.close)
        valkey.start()
        url, bare_url = _databases(stack, folder, kind)
        database = open_database(url, DatabaseSettings())
        stack.callback(database.dispose)
        upgrade(database)
        port = free_port()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "STORYFORGE_NODE_DATA_DIR": str(folder),
            "STORYFORGE_NODE_PORT": str(port),
            "STORYFORGE_DATABASE_URL": url,
            "STORYFORGE_BROKER_URL": valkey.url,
            **{f"STORYFORGE_{name.upper()}": value for name, value in settings.items()},
        }
        node = Node(folder, database, url, bare_url, valkey.url, Api(port), environment, stack)
        node.start("api", ("-m", "api.main"))
        _wait_for(node)
        yield node


def _databases(stack: ExitStack, folder: Path, kind: Kind) -> tuple[str, str]:
    """The URLs of the node's database and of an empty one beside it, equally durable."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/storyforge.db", f"sqlite:///{folder}/bare.db"
    if find_binaries() is None:
        raise SystemExit("--database postgres needs PostgreSQL 15: apt-get install postgresql-15")
    server = PostgresServer(durable=True)
    stack.callback(server.close)
    server.start()
    return server.new_database(), server.new_database()


@contextmanager
def _process(
    log: Path, argv: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *argv],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(node: Node) -> None:
    deadline_s = time.monotonic() + _START_S
    while True:
        try:
            # a connection of its own: a refused one is not used again
            Api(node.api.port).expect(200, "GET", "/health/live")
        except OSError:
            node.require_alive()
            if time.monotonic() > deadline_s:
                raise SystemExit(f"The API did not start: {node.log('api')}") from None
            time.sleep(0.05)
        else:
            return
