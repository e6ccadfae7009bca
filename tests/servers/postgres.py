"""A throwaway PostgreSQL 15 cluster on a free loopback port, without fsync unless asked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg

_BIN = Path("/usr/lib/postgresql/15/bin")
_MEMORY_BYTES = 6 << 30
INSTALL = "apt-get install postgresql-15"


def find_binaries() -> Path | None:
    """Where initdb and postgres are, or None."""
    if (_BIN / "initdb").exists():
        return _BIN
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _memory_disk() -> Path | None:
    """A file system in memory with room for many test databases (8 MB each), if there is one."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > _MEMORY_BYTES
    return shared if roomy else None


class PostgresServer:
    """Started by `start`; `new_database` gives the URL of an empty database."""

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        binaries = find_binaries()
        assert binaries is not None, INSTALL
        self._bin = binaries
        place = None if durable else _memory_disk()
        self.dir = Path(tempfile.mkdtemp(prefix="storyforge-pg-", dir=place))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as_root = os.geteuid() == 0

    def start(self) -> None:
        if self._as_root:  # PostgreSQL refuses to run as root
            shutil.chown(self.dir, "postgres", "postgres")
        data = self.dir / "data"
        if not data.exists():
            self._run("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "-N", "-E", "UTF8")
        options = ["-c", "max_connections=200"]
        if not self._durable:
            options += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        command = self._command(
            "postgres",
            "-D",
            str(data),
            "-p",
            str(self.port),
            "-k",
            str(self.dir),
            "-c",
            "listen_addresses=127.0.0.1",
            *options,
        )
        with (self.dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def stop(self, *, immediate: bool = False) -> None:
        """Fast shutdown, or the immediate one that rolls through recovery."""
        mode = "immediate" if immediate else "fast"
        self._run("pg_ctl", "stop", "-D", str(self.dir / "data"), "-m", mode, "-w", "-t", "30")
        if self._process is not None:
            self._process.wait(timeout=30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop(immediate=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def new_database(self, template: str = "template0") -> str:
        """An empty database, or a copy of another; gives its URL."""
        name = f"t{uuid4().hex[:12]}"
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/{name}"

    def terminate_clients(self) -> None:
        """End every client connection, as an operator or a failover would."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    @property
    def _admin(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=tester dbname=postgres"

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._bin / program), *arguments]
        if self._as_root:
            return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        return command

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            self._command(program, *arguments), check=True, capture_output=True, cwd=self.dir
        )

    def _wait(self) -> None:
        for _ in range(200):
            try:
                psycopg.connect(self._admin, connect_timeout=2).close()
            except psycopg.OperationalError:
                subprocess.run(["sleep", "0.1"], check=True)
            else:
                return
        raise RuntimeError((self.dir / "server.log").read_text()[-2000:])
