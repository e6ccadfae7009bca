"""The kill loop: many jobs, random faults, then the oracle.

`python -m tests.chaos.loop --database postgres --jobs 60 --seconds 120 --seed 7 [--no-fence]`
prints a table and ends in one JSON line; the exit code is 1 when the oracle found anything.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from storyforge import clock
from storyforge.database.engine import Database, open_database
from storyforge.database.migrate import upgrade
from storyforge.database.scenes import create_scene
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import ENDED
from storyforge.errors import StoryForgeError
from storyforge.ids import uuid7
from storyforge.settings import DatabaseSettings
from tests.chaos.evidence import gather
from tests.chaos.monkey import Monkey
from tests.chaos.node import SWEEPER, WORKERS, Node
from tests.chaos.oracle import Verdict, judge
from tests.chaos.playback import playlists_play
from tests.chaos.witness import Witness
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import Valkey

LEASE_S = 2.0
_SCENE_JOBS = 4  # about so many continuations per scene, so that some run at once and some wait
_AT_ONCE = 6  # accepted in the beginning; the others come evenly
_AWAKE_S = 4.0  # for the sleepwalker to do its harm
_IDLE_SHARE = 0.02  # of the looks that find nobody at work, so many end in a fault all the same
_LOST_ALLOWED = 1_000  # the faults are ours: no number of them may end an innocent job
_SETTLE_S = 300.0  # a hang guard
_ENV = {
    "STORYFORGE_JOBS_LEASE_S": f"{LEASE_S:g}",
    "STORYFORGE_JOBS_HEARTBEAT_S": "0.5",
    "STORYFORGE_JOBS_SWEEP_S": "0.3",
    "STORYFORGE_JOBS_BACKOFF_S": "0.1",
    "STORYFORGE_JOBS_BACKOFF_MAX_S": "0.5",
    "STORYFORGE_JOBS_LOST_ATTEMPTS": str(_LOST_ALLOWED),
    "STORYFORGE_JOBS_WRITERS": "2",
    "STORYFORGE_JOBS_PUBLISHERS": "2",
}
_POOL_PROCESSES = 6
_FILM_TWICE = {"film-2": (*WORKERS["film"], "--device", "second")}


@dataclass(frozen=True)
class Options:
    """What to run: so many jobs, faults for so many seconds, from this seed."""

    database: str
    jobs: int
    seconds: float
    seed: int
    fence: bool = True


@dataclass(frozen=True)
class Report:
    """What was done to the node, and what the oracle says."""

    options: Options
    states: dict[str, int]
    faults: dict[str, int]
    lost_leases: int
    failed_attempts: int
    wall_s: float
    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        """One line's worth."""
        kills = sum(n for name, n in self.faults.items() if name.endswith("killed"))
        pauses = sum(n for name, n in self.faults.items() if name.endswith("paused"))
        return {
            "database": self.options.database,
            "seed": self.options.seed,
            "fence": self.options.fence,
            "jobs": sum(self.states.values()),
            **self.states,
            "kills": kills,
            "pauses": pauses,
            "other_faults": sum(self.faults.values()) - kills - pauses,
            "lost_leases": self.lost_leases,
            "failed_attempts": self.failed_attempts,
            "lost": self.verdict.lost,
            "doubled": self.verdict.doubled,
            "violations": len(self.verdict.violations),
            "wall_s": round(self.wall_s, 1),
        }

    def as_table(self) -> str:
        """For people."""
        rows = [*self.faults.items(), ("leases lost by sleepers", self.lost_leases)]
        rows += [("attempts that failed", self.failed_attempts)]
        rows += [(f"jobs {state}", count) for state, count in self.states.items()]
        rows += [("LOST", self.verdict.lost), ("DOUBLED", self.verdict.doubled)]
        lines = [f"{name:<24}{count:>6}" for name, count in rows]
        return "\n".join([*lines, *(f"  {one}" for one in self.verdict.violations[:20])])


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[tuple[str, PostgresServer | None]]:
    """The URL of a migrated, empty database of this kind, and its server if it has one."""
    server = PostgresServer() if kind == "postgres" else None
    try:
        if server is not None:
            server.start()
        url = server.new_database() if server else f"sqlite:///{folder}/storyforge.db"
        database = open_database(url, DatabaseSettings())
        upgrade(database)
        database.dispose()
        yield url, server
    finally:
        if server is not None:
            server.close()


def run(options: Options, url: str, server: PostgresServer | None, folder: Path) -> Report:
    """Run the loop on an empty database and judge what is left."""
    chance = random.Random(options.seed)
    broker = Valkey(folder / "valkey")
    broker.start()
    env = {**_ENV, "STORYFORGE_JOBS_FENCE": str(options.fence).lower()}
    sleepwalker = uuid7()
    env["FAILPOINT"] = f"encode_hls:p3:stop@{sleepwalker}"
    programs = {**WORKERS, **_FILM_TWICE, **SWEEPER}
    started_s = time.monotonic()
    try:
        with Node(folder / "node", url, broker.url, env, programs) as node:
            node.wait_ready(_POOL_PROCESSES)
            if not options.fence:
                drop_last_defence(node.database)
            with Witness(node.database, node.store) as witness:
                monkey = Monkey(node, broker, chance, LEASE_S, server)
                _hurt_while_working(node, monkey, options)
                monkey.calm_down()
                _settle(node)
                _sleepwalk(node, sleepwalker)
                _settle(node)
            evidence = gather(node.database)
            playback = [*witness.spoilt, *playlists_play(evidence, node.store)]
            verdict = judge(
                evidence,
                node.accepted,
                attempts_allowed={"": 12, "worker_lost": _LOST_ALLOWED},
                unread=node.unread(),
                seen=witness.seen,
                playback=playback,
            )
            states: dict[str, int] = {}
            for row in evidence.jobs.values():
                states[row.state] = states.get(row.state, 0) + 1
            failed = sum(sum(row.attempts.values()) for row in evidence.jobs.values())
            lost_leases = sum(node.log(name).count("lease lost; stopped") for name in programs)
    finally:
        broker.close()
    wall_s = time.monotonic() - started_s
    return Report(options, states, dict(monkey.done), lost_leases, failed, wall_s, verdict)


def drop_last_defence(database: Database) -> None:
    """Take away the unique index that would refuse a second segment even without the fence."""
    database.write(lambda c: c.execute(text("DROP INDEX uq_segments_job")))


def _hurt_while_working(node: Node, monkey: Monkey, options: Options) -> None:
    chance = monkey.chance
    scenes = [_new_scene(node) for _ in range(max(1, options.jobs // _SCENE_JOBS))]
    started_s = time.monotonic()
    submitted, share = 0, 0.0
    while submitted < options.jobs or share < 1.0:
        share = min(1.0, (time.monotonic() - started_s) / max(options.seconds, 0.1))
        while submitted < min(options.jobs, _AT_ONCE + share * options.jobs):
            submitted += _submit(node, chance.choice(scenes), chance.uniform(1.0, 8.0))
        if share < 1.0 and (node.busy_workers() or chance.random() < _IDLE_SHARE):
            monkey.act()  # mostly while there is work to spoil
            time.sleep(chance.uniform(0.1, 0.7))
        time.sleep(0.05)


def _sleepwalk(node: Node, job_id: UUID) -> None:
    """The worst case, for certain: an encoder wakes up after another has finished its job.

    Random pauses seldom last that long; without the fence this doubles a segment every time.
    """
    node.submit(_new_scene(node), job_id=job_id, alone=True)
    _settle(node)
    for name in node.programs:
        for pid in node.children(name):
            node.send(pid, signal.SIGCONT, group=False)
    time.sleep(_AWAKE_S)


def _new_scene(node: Node) -> UUID:
    scene_id = uuid7()
    node.database.write(
        lambda c: create_scene(
            c, scene_id=scene_id, title="A tale", bible=SceneBible(), now=clock.utc_now()
        )
    )
    return scene_id


def _submit(node: Node, scene_id: UUID, seconds: float) -> int:
    """One more job; 0 when the database is away, as a client would get 503 and come again."""
    try:
        text_of_it = f"The fox walks on, for the {len(node.accepted)}th time. It rests."
        node.submit(scene_id, text_of_it, seconds=seconds)
    except StoryForgeError:
        time.sleep(0.1)
        return 0
    return 1


def _settle(node: Node) -> None:
    """Wait until nothing moves any more; what never ends is for the oracle to say."""
    ends_s = time.monotonic() + _SETTLE_S
    quiet = 0
    while quiet < 3 and time.monotonic() < ends_s:
        time.sleep(0.5)
        ended = all(row.state in ENDED for row in gather(node.database).jobs.values())
        quiet = quiet + 1 if ended else 0


def main() -> None:
    """Run once and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.loop", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-fence", action="store_true", help="prove that the oracle sees")
    given = parser.parse_args()
    options = Options(given.database, given.jobs, given.seconds, given.seed, not given.no_fence)
    folder = Path(tempfile.mkdtemp(prefix="storyforge-chaos-"))
    try:
        with fresh_database(options.database, folder) as (url, server):
            report = run(options, url, server, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(f"{report.as_table()}\n{json.dumps(report.as_json())}\n")
    sys.exit(1 if report.verdict.violations else 0)


if __name__ == "__main__":
    main()
