"""A real node of processes: restarts what dies, kills and stops what a test says, leaves nothing.

Every process leads its own group, as under the node's supervisor, and is told to die with us.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import redis
from sqlalchemy import Connection, select, update

from scheduler.dispatch import CeleryDispatcher, make_celery
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.accept import NewJob, accept_job
from storyforge.database.engine import Database, open_database
from storyforge.database.leases import LOST
from storyforge.database.tables import jobs
from storyforge.database.workers import live_workers
from storyforge.domain.job import ENDED, Job, JobConfig, JobKind, JobState, Lane
from storyforge.errors import DatabaseUnreachable
from storyforge.ids import uuid7
from storyforge.settings import DatabaseSettings, Settings
from storyforge.storage import ObjectStore, open_store

ROOT = Path(__file__).parents[2]
HANG_S = 240.0  # a hang guard on a busy machine, not a promise
_RESTART_S = 0.2
_POLL_S = 0.05

# Short clocks and a tiny film: a whole job costs about a second of one core.
QUICK: Mapping[str, str] = {
    "STORYFORGE_JOBS_LEASE_S": "4",
    "STORYFORGE_JOBS_HEARTBEAT_S": "1",
    "STORYFORGE_JOBS_SWEEP_S": "0.5",
    "STORYFORGE_JOBS_CANCEL_POLL_S": "0.3",
    "STORYFORGE_JOBS_BACKOFF_S": "0.3",
    "STORYFORGE_JOBS_BACKOFF_MAX_S": "2",
    "STORYFORGE_JOBS_WRITERS": "1",
    "STORYFORGE_VIDEO_WIDTH": "192",
    "STORYFORGE_VIDEO_HEIGHT": "108",
    "STORYFORGE_VIDEO_FPS": "8",
    "STORYFORGE_VIDEO_X264_PRESET": "ultrafast",
    "STORYFORGE_NODE_LOG_LEVEL": "info",
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
WORKERS: Mapping[str, Sequence[str]] = {
    lane.value: ("scheduler.worker", "--lane", lane.value) for lane in Lane
}
SWEEPER: Mapping[str, Sequence[str]] = {"sweeper": ("scheduler.sweeper",)}


@dataclass
class _Program:
    """One program of the node; `process` is what runs now."""

    argv: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    died_s: float | None = None
    restarts: int = 0


@dataclass(eq=False)
class Node:
    """A context manager; programs run between `with` and the end of its block.

    env: variables over QUICK. programs: name -> module and arguments.
    """

    folder: Path
    database_url: str
    broker_url: str
    env: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, Sequence[str]] = field(default_factory=lambda: {**WORKERS, **SWEEPER})

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = self._settings()
        self.database: Database = open_database(self.database_url, DatabaseSettings(pool_size=20))
        self.store: ObjectStore = open_store(self.settings)
        self.dispatcher = CeleryDispatcher(make_celery(self.settings, self.broker_url))
        self.accepted: list[UUID] = []
        self._running: dict[str, _Program] = {}
        self._groups: set[int] = set()  # of every process that we ever started
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep_up, daemon=True)

    def __enter__(self) -> Self:
        for name, argv in self.programs.items():
            self.start(name, argv)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ended.set()
        self._keeper.join()
        self.stop_all()
        self.database.dispose()

    # programs

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a program and keep it running from now on."""
        program = _Program(argv, self.folder / f"{name}.log")
        self._spawn(program)
        with self._lock:
            self._running[name] = program

    def stop(self, name: str, *, number: signal.Signals = signal.SIGTERM) -> int:
        """End a program and do not restart it; gives its exit code."""
        with self._lock:
            program = self._running.pop(name)
        process = program.process
        assert process is not None
        process.send_signal(number)
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            return process.returncode or -signal.SIGKILL
        finally:
            _end_group(process)

    def stop_all(self) -> None:
        """SIGKILL everything, at once, and restart nothing."""
        with self._lock:
            programs = list(self._running.values())
            self._running.clear()
        for program in programs:
            if program.process is not None:
                _end_group(program.process)

    def pid(self, name: str) -> int:
        """The pid, and process group, of a program."""
        process = self._running[name].process
        assert process is not None
        return process.pid

    def children(self, name: str) -> list[int]:
        """The pids of a worker's pool."""
        path = Path(f"/proc/{self.pid(name)}/task/{self.pid(name)}/children")
        try:
            return [int(pid) for pid in path.read_text().split()]
        except OSError:
            return []

    def signal_group(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a program and all that it started."""
        return self.send(self.pid(name), number, group=True)

    def signal_child(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to one of a worker's pool only; False when there is none just now."""
        return any(self.send(pid, number, group=False) for pid in self.children(name)[:1])

    def send(self, pid: int, number: signal.Signals, *, group: bool) -> bool:
        """Send a signal to a process of this node, or its group; False when it is gone."""
        try:
            if os.getpgid(pid) not in self._groups:
                return False  # the number went to a stranger meanwhile
            (os.killpg if group else os.kill)(pid, number)
        except ProcessLookupError:
            return False
        return True

    def restarts(self, name: str) -> int:
        """How often a program was restarted."""
        return self._running[name].restarts

    def log(self, name: str) -> str:
        """What a program has said, over all its lives."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # jobs

    def submit(
        self,
        scene_id: UUID,
        text: str = "The fox waits by the river.",
        *,
        job_id: UUID | None = None,
        after_job_id: UUID | None = None,
        kind: JobKind = JobKind.CONTINUE,
        seconds: float = 1.0,
        wake: bool = True,
        alone: bool = False,
    ) -> UUID:
        """Accept a job as the API does, and wake its lane.

        alone: mark it as one that a worker died with, so that no neighbour dies with it.
        """
        new = NewJob(
            id=job_id or uuid7(),
            scene_id=scene_id,
            kind=kind,
            text=text,
            config=JobConfig(target_duration=seconds),
            after_job_id=after_job_id,
        )

        def write(c: Connection) -> None:
            accept_job(c, new, self.database.clock, now=clock.utc_now(), max_open=10_000)
            if alone:
                c.execute(update(jobs).where(jobs.c.id == new.id).values(attempts={LOST: 0}))

        self.database.write(write)
        self.accepted.append(new.id)
        if wake:
            self.dispatcher.wake(Lane.WRITE)
        return new.id

    def job(self, job_id: UUID) -> Job:
        """The job's row."""
        with self.database.read() as c:
            return job_rows.get_job(c, job_id)

    def wait_ready(self, workers: int) -> None:
        """Wait until so many pool processes have given their first sign of life."""

        def look() -> bool:
            with self.database.read() as c:
                found = live_workers(c, self.database.clock)
            return sum(one.role != "sweeper" for one in found) >= workers

        self.wait_until(look, f"{workers} workers are up")

    def busy_workers(self) -> list[str]:
        """The names of the workers that hold a lease; they end in `:pid`."""
        leased = select(jobs.c.worker).where(jobs.c.state == JobState.LEASED)
        try:
            with self.database.read() as c:
                return sorted(set(c.execute(leased).scalars()))
        except DatabaseUnreachable:
            return []

    def wait_for(self, job_id: UUID, is_so: Callable[[Job], bool], what: str = "") -> Job:
        """Wait until the job is as said."""
        job = self.job(job_id)

        def look() -> bool:
            nonlocal job
            job = self.job(job_id)
            return is_so(job)

        self.wait_until(look, lambda: f"job {job_id} {what}: {job!r}")
        return job

    def wait_ended(self, job_ids: Collection[UUID] | None = None) -> dict[UUID, Job]:
        """Wait until these jobs (all accepted ones) have ended; gives them."""
        wanted = self.accepted if job_ids is None else job_ids
        found: dict[UUID, Job] = {}

        def look() -> bool:
            found.update({one: self.job(one) for one in wanted})
            return all(job.state in ENDED for job in found.values())

        self.wait_until(
            look, lambda: f"{[job for job in found.values() if job.state not in ENDED]}"
        )
        return found

    def wait_until(
        self, is_so: Callable[[], bool], what: Callable[[], str] | str, guard_s: float = HANG_S
    ) -> None:
        """Poll until true; fails with `what` and the programs' last words at the hang guard."""
        deadline_s = time.monotonic() + guard_s
        while not is_so():
            if time.monotonic() > deadline_s:
                said = what if isinstance(what, str) else what()
                raise AssertionError(f"Not so within {guard_s:g} s: {said}\n{self.last_words()}")
            time.sleep(_POLL_S)

    def last_words(self, lines: int = 12) -> str:
        """The ends of all logs."""
        said = []
        for path in sorted(self.folder.glob("*.log")):
            end = path.read_text(errors="replace").splitlines()[-lines:]
            said.append(f"== {path.name}\n" + "\n".join(end))
        return "\n".join(said)

    def unread(self) -> dict[Lane, int]:
        """Wake-ups that lie in the broker, by lane."""
        with redis.Redis.from_url(self.broker_url) as client:
            return {lane: int(str(client.llen(lane.value))) for lane in Lane}

    def environment(self) -> dict[str, str]:
        """What every program of this node is started with."""
        return {
            **QUICK,
            "STORYFORGE_NODE_DATA_DIR": str(self.folder),
            "STORYFORGE_DATABASE_URL": self.database_url,
            "STORYFORGE_BROKER_URL": self.broker_url,
            **self.env,
        }

    def _settings(self) -> Settings:
        groups: dict[str, dict[str, str]] = {}
        for name, value in self.environment().items():
            if name.startswith("STORYFORGE_"):
                group, _, key = name.removeprefix("STORYFORGE_").lower().partition("_")
                groups.setdefault(group, {})[key] = value
        return Settings.model_validate(groups)

    def _spawn(self, program: _Program) -> None:
        with program.log.open("ab") as log:
            program.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", *program.argv],
                cwd=ROOT,
                env={**os.environ, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._groups.add(program.process.pid)
        program.died_s = None

    def _keep_up(self) -> None:
        while not self._ended.wait(_POLL_S):
            with self._lock:
                programs = list(self._running.values())
            for program in programs:
                self._look_after(program)

    def _look_after(self, program: _Program) -> None:
        if program.process is None or program.process.poll() is None:
            return
        if program.died_s is None:
            program.died_s = time.monotonic()
            _end_group(program.process)  # as the supervisor does: nothing outlives its parent
        elif time.monotonic() - program.died_s >= _RESTART_S:
            with self._lock:
                if program not in self._running.values():
                    return
                program.restarts += 1
                self._spawn(program)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
