"""Random faults on both databases: nothing lost, nothing doubled; and the oracle can go red."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
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
    assert report.states == {"done": jobs}
    assert sum(report.faults.values()) > seconds / 2, "the monkey was awake"


@pytest.mark.parametrize("kind", DATABASES)
def test_a_short_kill_loop_loses_and_doubles_nothing(kind: str, tmp_path: Path) -> None:
    _loop(kind, tmp_path, jobs=14, seconds=12.0, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", DATABASES)
def test_a_long_kill_loop_loses_and_doubles_nothing(kind: str, tmp_path: Path, seed: int) -> None:
    _loop(kind, tmp_path, jobs=60, seconds=120.0, seed=seed)


def _sleep_through_the_lease(start_node: StartNode, *, fence: bool) -> Verdict:
    """An encoder sleeps until another worker has finished its job, and wakes up."""
    job_id = uuid7()
    env = {
        "FAILPOINT": f"{Stage.ENCODE_HLS}:p3:stop@{job_id}",
        "STORYFORGE_JOBS_LEASE_S": "5",
        # no renewal: whoever falls asleep amid one keeps SQLite's only write lock
        "STORYFORGE_JOBS_HEARTBEAT_S": "60",
        "STORYFORGE_JOBS_FENCE": str(fence).lower(),
    }
    second = {"film-2": (*WORKERS["film"], "--device", "second")}
    node: Node = start_node(env, programs={**WORKERS, **second, **SWEEPER})
    node.wait_ready(4)
    if not fence:
        drop_last_defence(node.database)
    node.submit(new_scene(node.database).id, job_id=job_id)
    node.wait_for(job_id, lambda job: job.state is JobState.DONE, "is done by the other")
    sleepers = [*node.children("film"), *node.children("film-2")]
    for pid in sleepers:
        node.send(pid, signal.SIGCONT, group=False)
    said = "lease lost; stopped"

    def is_over() -> bool:
        noticed = said in node.log("film") + node.log("film-2")
        return noticed or len(gather(node.database).made_by(job_id)) > 1

    node.wait_until(is_over, "the sleeper did something")
    evidence = gather(node.database)
    return judge(
        evidence,
        node.accepted,
        attempts_allowed={"": 12, "worker_lost": 3},
        unread=node.unread(),
        playback=list(playlists_play(evidence, node.store)),
    )


def test_without_the_fence_the_oracle_goes_red(start_node: StartNode) -> None:
    """The negative control: the same sleep that the fence makes harmless doubles a segment."""
    verdict = _sleep_through_the_lease(start_node, fence=False)
    rules = {one.rule for one in verdict.violations}
    assert verdict.doubled >= 2, "a second segment, and a second version of the bible"
    assert {"O2", "O3"} <= rules


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_with_the_fence_the_same_sleep_is_harmless(
    start_node: StartNode, new_database_url: Callable[[], str]
) -> None:
    verdict = _sleep_through_the_lease(start_node, fence=True)
    assert verdict == Verdict((), 0, 0)
