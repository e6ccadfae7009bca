"""A real S3 server for tests: one Ceph monitor, one memory-backed OSD and one RADOS gateway.

As a script, `python tests/servers/ceph_rgw.py DIRECTORY` starts one, prints how to reach it and
stops it at Ctrl-C.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph-authtool", "monmaptool")
INSTALL = "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd"
_START_S = 120.0  # measured 13 s alone on two cores; the machine may be shared
_STOP_S = 10.0

_CONFIG = """\
[global]
fsid={fsid}
mon host=[v2:127.0.0.1:{mon_port}/0,v1:127.0.0.1:{mon_v1_port}/0]
keyring={root}/keyring
public addr=127.0.0.1
cluster addr=127.0.0.1
ms bind ipv4=true
auth cluster required=cephx
auth service required=cephx
auth client required=cephx
osd pool default size=1
osd pool default min size=1
osd pool default pg num=4
osd pool default pgp num=4
osd pool default pg autoscale mode=off
osd crush chooseleaf type=0
osd objectstore=memstore
osd memory target=939524096
memstore device bytes=4294967296
mon allow pool size one=true
mon warn on pool no redundancy=false
mon max pg per osd=2000
mon data avail crit=1
mon data avail warn=2
mon data={root}/mon
osd data={root}/osd
run dir={root}/run
crash dir={root}/crash
admin socket={root}/run/$name.asok
log file={root}/log/$name.log
pid file={root}/run/$name.pid
rgw frontends=beast endpoint=127.0.0.1:{port}
rgw enable usage log=false
rgw bucket quota ttl=1
rgw user quota bucket sync interval=1
"""


@dataclass(frozen=True)
class Account:
    """Credentials of one S3 user."""

    access_key: str
    secret_key: str


def missing_programs() -> list[str]:
    """Which of the needed programs this host lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class CephRgw:
    """One running server; `port` on 127.0.0.1 speaks S3."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        mon_port, mon_v1_port, self.port = _free_ports(3)
        for name in ("mon", "osd", "log", "run", "crash"):
            (root / name).mkdir(parents=True)
        self._config = root / "ceph.conf"
        self._config.write_text(
            _CONFIG.format(
                fsid=uuid.uuid4(),
                root=root,
                port=self.port,
                mon_port=mon_port,
                mon_v1_port=mon_v1_port,
            )
        )
        self._mon_address = f"[v2:127.0.0.1:{mon_port},v1:127.0.0.1:{mon_v1_port}]"

    @property
    def endpoint_url(self) -> str:
        """Where S3 clients connect."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the three daemons and wait until the gateway answers."""
        try:
            self._start_monitor()
            self._start_osd()
            self._spawn("radosgw", "-n", "client.rgw")
            self._wait_for_http()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the daemons that `start` started, the gateway first."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def add_account(self, name: str, max_bytes: int | None = None) -> Account:
        """A new user; `max_bytes` is a quota on all that it stores."""
        account = Account(secrets.token_hex(10), secrets.token_hex(20))
        self._admin(
            "user", "create", f"--uid={name}", f"--display-name={name}",
            f"--access-key={account.access_key}", f"--secret-key={account.secret_key}",
        )  # fmt: skip
        if max_bytes is not None:
            scope = ("--quota-scope=user", f"--uid={name}")
            self._admin("quota", "set", *scope, f"--max-size={max_bytes}")
            self._admin("quota", "enable", *scope)
        return account

    def _admin(self, *arguments: str) -> None:
        self._run("radosgw-admin", "-n", "client.admin", *arguments)

    def _start_monitor(self) -> None:
        keyring, monmap = self._root / "keyring", self._root / "monmap"
        for name, capabilities in {
            "mon.": ("mon", "allow *"),
            "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
            "client.rgw": ("mon", "allow rwx", "osd", "allow rwx"),
            "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
        }.items():
            pairs = zip(capabilities[::2], capabilities[1::2], strict=True)
            caps = [word for pair in pairs for word in ("--cap", *pair)]
            create = [] if keyring.exists() else ["--create-keyring"]
            self._run("ceph-authtool", str(keyring), *create, "--gen-key", "-n", name, *caps)
        fsid = self._config.read_text().split("fsid=")[1].split()[0]
        self._run(
            "monmaptool", "--create", "--fsid", fsid, "--addv", "a", self._mon_address, str(monmap)
        )
        self._run(
            "ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(keyring)
        )
        self._spawn("ceph-mon", "-i", "a")

    def _start_osd(self) -> None:
        identity = str(uuid.uuid4())
        self._run("ceph", "osd", "new", identity)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._spawn("ceph-osd", "-i", "0")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [program, "-c", str(self._config), *arguments]
            if program not in {"ceph-authtool", "monmaptool"}
            else [program, *arguments],
            env=os.environ | {"CEPH_CONF": str(self._config)},
            capture_output=True,
            timeout=_START_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()[-800:]}")

    def _spawn(self, program: str, *arguments: str) -> None:
        """Start a daemon in the foreground that dies with us, however we end."""
        log = self._root / "log" / f"{program}.out"
        with log.open("wb") as output:
            self._processes.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", "--",
                     program, "-f", "-c", str(self._config), *arguments],
                    env=os.environ | {"CEPH_CONF": str(self._config)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            )  # fmt: skip

    def _wait_for_http(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with (
                contextlib.closing(connection),
                contextlib.suppress(OSError, http.client.HTTPException),
            ):
                connection.request("GET", "/")
                connection.getresponse().read()
                return
            time.sleep(0.1)
        raise TimeoutError(f"the S3 gateway did not answer within {_START_S:.0f} s")


@contextlib.contextmanager
def running(root: Path) -> Iterator[CephRgw]:
    """A server for the length of a `with` block."""
    server = CephRgw(root)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def main() -> None:
    """Run a server until interrupted."""
    with running(Path(sys.argv[1])) as server:
        account = server.add_account("storyforge")
        environment = {
            "STORYFORGE_STORE_ENDPOINT_URL": server.endpoint_url,
            "STORYFORGE_STORE_ACCESS_KEY": account.access_key,
            "STORYFORGE_STORE_SECRET_KEY": account.secret_key,
        }
        for name, value in environment.items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
