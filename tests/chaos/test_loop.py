"""Random faults on both databases: nothing lost, nothing doubled; and the oracle can go red."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from storyforge.domain.job import JobState, Stage
from storyforge.ids import uuid7
from tests.builders import new_scene
from tests.chaos.evidence import gather
from tests.chaos.loop import Options, drop_last_defence, fresh_database, run
from tests.chaos.node import SWEEPER, WORKERS, Node
from tests.chaos.oracle import Verdict, judge
from tests.chaos.playback import playlists_play
from tests.servers.nodes import StartNode

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def _loop(kind: str, folder: Path, jobs: int, seconds: float, seed: int) -> None:
    with fresh_database(kind, folder) as (url, server):
        report = run(Options(kind, jobs, seconds, seed), url, server, folder)
    sys.stdout.write(f"{report.as_table()}\n{json.dumps(report.as_json())}\n")
    assert report.verdict == Verdict((), 0, 0)
    assert report.states == {"done": jobs + 1}, "and the sleepwalker's"
    assert report.failed_attempts > 0, "the monkey spoilt some work"


@pytest.mark.parametrize("kind", DATABASES)
def test_a_short_kill_loop_loses_and_doubles_nothing(kind: str, tmp_path: Path) -> None:
    _loop(kind, tmp_path, jobs=14, seconds=12.0, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", DATABASES)
def test_a_long_kill_loop_loses_and_doubles_nothing(kind: str, tmp_path: Path, seed: int) -> None:
    _loop(kind, tmp_path, jobs=60, seconds=120.0, seed=seed)


def _sleep_without_fence(start_node: StartNode) -> Verdict:
    """An encoder sleeps until another worker has finished its job, and wakes up."""
    job_id = uuid7()
    env = {
        "FAILPOINT": f"{Stage.ENCODE_HLS}:p3:stop@{job_id}",
        "STORYFORGE_JOBS_LEASE_S": "5",
        # no renewal: whoever falls asleep amid one keeps SQLite's only write lock
        "STORYFORGE_JOBS_HEARTBEAT_S": "60",
        "STORYFORGE_JOBS_FENCE": "false",
    }
    second = {"film-2": (*WORKERS["film"], "--device", "second")}
    node: Node = start_node(env, programs={**WORKERS, **second, **SWEEPER})
    node.wait_ready(4)
    drop_last_defence(node.database)
    # alone: no other thread of its process may be amid a write when it falls asleep
    node.submit(new_scene(node.database).id, job_id=job_id, alone=True)
    node.wait_for(job_id, lambda job: job.state is JobState.DONE, "is done by the other")
    sleepers = [*node.children("film"), *node.children("film-2")]
    for pid in sleepers:
        node.send(pid, signal.SIGCONT, group=False)
    node.wait_until(
        lambda: len(gather(node.database).made_by(job_id)) > 1, "the sleeper did its harm"
    )
    evidence = gather(node.database)
    return judge(
        evidence,
        node.accepted,
        attempts_allowed={"": 12, "worker_lost": 3},
        unread=node.unread(),
        playback=list(playlists_play(evidence, node.store)),
    )


def test_without_the_fence_the_oracle_goes_red(start_node: StartNode) -> None:
    """The negative control: the sleep that the loops above survive doubles a segment."""
    verdict = _sleep_without_fence(start_node)
    rules = {one.rule for one in verdict.violations}
    assert verdict.doubled >= 2, "a second segment, and a second version of the bible"
    assert {"O2", "O3"} <= rules
