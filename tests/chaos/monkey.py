"""The monkey: hurts a running node at random, from a seed, and counts what it did."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import redis

from storyforge.domain.job import Lane
from tests.chaos.node import Node
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import Valkey

_DUPLICATES = 20  # wake-ups at once (guarantees F38)


@dataclass
class Monkey:
    """Does one thing at a time; `done` counts them by name.

    lease_s: pauses last longer than this. postgres: the server to restart, if it is one.
    """

    node: Node
    broker: Valkey
    chance: random.Random
    lease_s: float
    postgres: PostgresServer | None = None
    done: Counter[str] = field(default_factory=Counter)
    _sleepers: list[threading.Timer] = field(default_factory=list)

    def act(self) -> None:
        """One random hurt."""
        tricks = self._tricks()
        trick = self.chance.choices(list(tricks), weights=[w for _f, w in tricks.values()])[0]
        if tricks[trick][0]():
            self.done[trick] += 1

    def calm_down(self) -> None:
        """Wake every sleeper and hurt nobody any more."""
        for timer in self._sleepers:
            timer.join()

    def _tricks(self) -> Mapping[str, tuple[Callable[[], bool], int]]:
        tricks = {
            "group killed": (self._kill_group, 3),
            "child killed": (self._kill_child, 6),
            "child paused": (self._pause_child, 8),
            "group paused": (self._pause_group, 2),
            "broker flushed": (self._flush, 1),
            "broker restarted": (self._restart_broker, 1),
            "wake-ups doubled": (self._wake_often, 2),
        }
        if self.postgres is not None:
            tricks["connections ended"] = (self._end_connections, 2)
            tricks["database restarted"] = (self._restart_database, 1)
        return tricks

    def _kill_group(self) -> bool:
        name = self._anybody()
        if any(self._sleeps(pid) for pid in (self.node.pid(name), *self.node.children(name))):
            return False
        return self.node.signal_group(name, signal.SIGKILL)

    def _kill_child(self) -> bool:
        pid = self._victim()
        return pid is not None and self.node.send(pid, signal.SIGKILL, group=False)

    def _pause_child(self) -> bool:
        pid = self._victim()
        return pid is not None and self._pause(pid, group=False)

    def _victim(self) -> int | None:
        """A pool process that is at work just now, or any."""
        busy = [int(name.rpartition(":")[2]) for name in self.node.busy_workers()]
        awake = [pid for pid in busy or self.node.children(self._worker()) if not self._sleeps(pid)]
        return self.chance.choice(awake) if awake else None

    def _sleeps(self, pid: int) -> bool:
        """Whether we stopped it: killing sleepers would spare them the awakening."""
        return any(timer.is_alive() and timer.name == str(pid) for timer in self._sleepers)

    def _pause_group(self) -> bool:
        return self._pause(self.node.pid(self._anybody()), group=True)

    def _pause(self, pid: int, *, group: bool) -> bool:
        if not self.node.send(pid, signal.SIGSTOP, group=group):
            return False
        for_s = self.lease_s * self.chance.uniform(1.2, 2.0)
        wake = threading.Timer(for_s, lambda: self.node.send(pid, signal.SIGCONT, group=group))
        wake.daemon, wake.name = True, str(pid)
        wake.start()
        self._sleepers.append(wake)
        return True

    def _flush(self) -> bool:
        self.broker.flush()
        return True

    def _restart_broker(self) -> bool:
        self.broker.kill()
        self.broker.start()
        return True

    def _wake_often(self) -> bool:
        lane = self.chance.choice(list(Lane))
        try:
            for _ in range(_DUPLICATES):
                self.node.dispatcher.wake(lane)
        except redis.RedisError:
            return False
        return True

    def _end_connections(self) -> bool:
        assert self.postgres is not None
        self.postgres.terminate_clients()
        return True

    def _restart_database(self) -> bool:
        assert self.postgres is not None
        self.postgres.stop(immediate=self.chance.random() < 0.5)
        self.postgres.start()
        return True

    def _anybody(self) -> str:
        return self.chance.choice(sorted(self.node.programs))

    def _worker(self) -> str:
        return self.chance.choice(sorted(set(self.node.programs) - {"sweeper"}))
