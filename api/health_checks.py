"""Looks at what the node depends on, each look bounded in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import redis
import structlog
from sqlalchemy import text

from storyforge.database.engine import Database
from storyforge.database.workers import ENGINE_ROLE, WorkerRecord, live_workers
from storyforge.domain.job import Lane
from storyforge.errors import BrokerUnreachable, StoryForgeError, Unavailable
from storyforge.settings import WriterSettings
from storyforge.storage.store import Bucket, ObjectStore

CHECK_TIMEOUT_S = 1.5  # less than the 2 s that those who ask wait
SWEEPER = "sweeper"
# Of an engine that writes, or that will when its card is free again.
_WRITING_STATES = frozenset({"awake", "busy", "asleep"})
# An object that nobody has to put: asking for it shows that the store answers.
_PROBE_KEY = "health/probe"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Degraded:
    """The node works, but with less than it has; `detail` says what is missing and the cure."""

    detail: str


Check = Callable[[], str | Degraded]
"""Looks at one dependency; gives a detail, raises StoryForgeError when it is down."""


@dataclass(frozen=True)
class Finding:
    """One dependency: whether it is up (perhaps degraded), and a sentence about it."""

    name: str
    ok: bool
    detail: str
    degraded: bool = False


class HealthChecks:
    """Runs the checks side by side; one that hangs is not started a second time."""

    def __init__(self, checks: Mapping[str, Check], *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._checks = dict(checks)
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="health")
        self._running: dict[str, Future[str | Degraded]] = {}
        self._lock = threading.Lock()

    def look(self) -> Sequence[Finding]:
        """The state of every dependency, in at most `timeout_s`."""
        with self._lock:
            for name, check in self._checks.items():
                if name not in self._running or self._running[name].done():
                    self._running[name] = self._pool.submit(check)
            running = dict(self._running)
        wait(running.values(), timeout=self._timeout_s)
        return [self._finding(name, future) for name, future in running.items()]

    def close(self) -> None:
        """Start no more checks."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finding(self, name: str, future: Future[str | Degraded]) -> Finding:
        if not future.done():
            return Finding(name, ok=False, detail=f"No answer within {self._timeout_s:g} s.")
        error = future.exception()
        if error is None:
            said = future.result()
            if isinstance(said, Degraded):
                return Finding(name, ok=True, detail=said.detail, degraded=True)
            return Finding(name, ok=True, detail=said)
        if isinstance(error, StoryForgeError):
            return Finding(name, ok=False, detail=error.detail)
        _log.error("health check failed", check=name, exc_info=error)
        return Finding(name, ok=False, detail="The check itself failed; the log says why.")


def check_database(database: Database) -> Check:
    """Whether a query comes back."""

    def check() -> str:
        with database.read() as c:
            c.execute(text("SELECT 1")).scalar_one()
        return f"{database.engine.dialect.name} answers."

    return check


def check_broker(url: str, timeout_s: float) -> Check:
    """Whether the broker answers a PING. The URL, which may hold a password, is never shown."""

    def check() -> str:
        client = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        try:
            client.ping()
        except redis.RedisError as exc:
            raise BrokerUnreachable(
                "The broker does not answer; new work is kept in the database and starts when "
                "it is back."
            ) from exc
        finally:
            client.close()
        return "The broker answers."

    return check


def check_store(store: ObjectStore) -> Check:
    """Whether the object store answers for a key that need not be there."""

    def check() -> str:
        store.head(Bucket.VIDEOS, _PROBE_KEY)
        return "The object store answers."

    return check


def check_workers(database: Database) -> Check:
    """Whether each lane has a worker, and somebody sweeps."""

    def check() -> str:
        with database.read() as c:
            found = live_workers(c, database.clock)
        missing = _missing({record.role for record in found})
        if missing:
            raise Unavailable(
                f"Nobody works as {', '.join(missing)}; start the workers (storyforge up). "
                "Jobs wait meanwhile."
            )
        return f"{len(found)} workers."

    return check


def check_devices(database: Database) -> Check:
    """Whether the devices that film are in service, as their workers tell it."""

    def check() -> str | Degraded:
        with database.read() as c:
            films = [one for one in live_workers(c, database.clock) if one.role == Lane.FILM.value]
        notices = _notices(films)
        said = " ".join(filter(None, notices.values()))
        if said and all(notices.values()):
            raise Unavailable(f"No device may film; jobs wait. {said}")
        if said:
            return Degraded(said)
        told = sorted({_filming(one) for one in films if one.info.get("gpu")})
        return f"Filming on {'; '.join(told)}." if told else "No GPU films."

    return check


def check_writer(database: Database, writer: WriterSettings) -> Check:
    """Whether somebody writes: rules always do, a server of the node's own as its keeper tells it."""

    def check() -> str | Degraded:
        if writer.url:
            return "A language model server of the owner's."
        if not writer.model:
            return "Fixed rules write."
        name = writer.model.rstrip("/").rpartition("/")[2]  # of a folder: no path of this host
        with database.read() as c:
            found = [one for one in live_workers(c, database.clock) if one.role == ENGINE_ROLE]
        states = {str(one.info.get("device", "")): str(one.info.get("state", "")) for one in found}
        said = ", ".join(f"{device or '?'}: {state}" for device, state in sorted(states.items()))
        if not states or not set(states.values()) & _WRITING_STATES:
            return Degraded(
                f"The writer {name} is not ready ({said or 'its server does not run'}); "
                "jobs wait and it is started again. See logs/engine-*.log."
            )
        return f"{name} on {said}."

    return check


def _filming(worker: WorkerRecord) -> str:
    """One device, what films on it, and which savings of memory are in force."""
    info = worker.info
    savings = info.get("savings") or ()
    short = f", saving memory by {', '.join(savings).replace('_', ' ')}" if savings else ""
    return f"{info['gpu'].get('name')} with {info.get('video', 'no model')}{short}"


def _notices(films: Sequence[WorkerRecord]) -> Mapping[tuple[str, str], str]:
    """Why each device is out of service, empty for one that films, by host and device.

    A process that has just ended is still among `films`, beside the one in its place.
    """
    notices: dict[tuple[str, str], str] = {}
    for one in films:
        key = one.name.rpartition(":")[0], str(one.info.get("device", ""))
        notices[key] = str(one.info.get("quarantine", "")) or notices.get(key, "")
    return notices


def _missing(roles: Collection[str]) -> list[str]:
    return [role for role in (*(lane.value for lane in Lane), SWEEPER) if role not in roles]
