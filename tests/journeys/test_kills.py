"""Processes that die or sleep at every stage and point (guarantees F1-F27, F33, F66)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storyforge.domain.job import JobState, Lane, Stage
from storyforge.ids import uuid7
from tests.builders import new_scene
from tests.chaos.evidence import gather
from tests.chaos.node import SWEEPER, WORKERS, Node
from tests.journeys.stage_points import Case, check_case, check_node, every_case
from tests.servers.nodes import POSTGRES_ONLY, SQLITE_ONLY, StartNode

LEASE_S = 5.0


def _survive(start_node: StartNode, cases: list[Case], action: str) -> Node:
    node = start_node({"FAILPOINT": ",".join(case.failpoint(action) for case in cases)})
    for case in cases:
        node.submit(new_scene(node.database).id, job_id=case.job_id, alone=True)
    jobs = node.wait_ended()
    evidence = check_node(node)
    for case in cases:
        check_case(case, jobs[case.job_id], evidence)
    return node


@SQLITE_ONLY
def test_a_job_survives_a_death_at_every_point_of_every_stage(start_node: StartNode) -> None:
    """F1-F24, F26: resumes at the same stage, makes nothing twice, ends once.

    28 jobs in 28 scenes on one node; each ends its pool process once, at one point.
    """
    _survive(start_node, every_case(), "kill")


@POSTGRES_ONLY
def test_a_job_survives_the_death_of_a_whole_process_group(start_node: StartNode) -> None:
    """F1-F24 with a parent that dies too: one point of each stage, a different one each time."""
    points = [f"p{1 + place % 4}" for place in range(len(Stage))]
    cases = [Case(stage, point, uuid7()) for stage, point in zip(Stage, points, strict=True)]
    node = _survive(start_node, cases, "killgroup")
    assert sum(node.restarts(lane) for lane in Lane) == len(cases)


@pytest.mark.chaos
@pytest.mark.parametrize("action", ["kill", "killgroup"])
def test_a_job_survives_every_death_at_every_point_on_every_database(
    start_node: StartNode, action: str
) -> None:
    _survive(start_node, every_case(), action)


@contextmanager
def _waking(node: Node, after_s: float) -> Iterator[list[int]]:
    """SIGCONT to every pool process that has been stopped for so long; gives their pids."""
    woken: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        stopped_s: dict[int, float] = {}
        while not ended.wait(0.1):
            for pid in [pid for name in node.programs for pid in node.children(name)]:
                if not _is_stopped(pid):
                    stopped_s.pop(pid, None)
                elif time.monotonic() - stopped_s.setdefault(pid, time.monotonic()) > after_s:
                    os.kill(pid, signal.SIGCONT)
                    woken.append(pid)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield woken
    finally:
        ended.set()
        thread.join()


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def test_a_worker_that_sleeps_through_its_lease_changes_nothing(start_node: StartNode) -> None:
    """F25: SIGSTOP in each stage for longer than the lease, then SIGCONT."""
    cases = [Case(stage, "p2", uuid7()) for stage in Stage]
    inside = Case(Stage.FINALIZE_JOB, "p3", uuid7())  # asleep within the last transaction
    env = {
        "FAILPOINT": ",".join(case.failpoint("stop") for case in [*cases, inside]),
        "STORYFORGE_JOBS_WRITERS": "4",
        "STORYFORGE_JOBS_PUBLISHERS": "3",
        "STORYFORGE_JOBS_LEASE_S": f"{LEASE_S:g}",
        # no renewal: whoever falls asleep amid one keeps SQLite's only write lock
        "STORYFORGE_JOBS_HEARTBEAT_S": "60",
    }
    second = {"film-2": (*WORKERS["film"], "--device", "second")}
    node = start_node(env, programs={**WORKERS, **second, **SWEEPER})
    node.wait_ready(9)
    with _waking(node, LEASE_S + 2.0) as woken:
        for case in cases:
            node.submit(new_scene(node.database).id, job_id=case.job_id, alone=True)
        node.wait_ended()
        # only now: whoever sleeps within a transaction keeps SQLite's one write lock
        node.submit(new_scene(node.database).id, job_id=inside.job_id, alone=True)
        jobs = node.wait_ended()
        settled = gather(node.database)
        node.wait_until(lambda: len(woken) > len(cases), lambda: f"only {woken} were woken")
    time.sleep(2.0)  # what the last sleeper would do, it does in this time
    evidence = check_node(node)
    assert evidence.jobs == settled.jobs
    assert (evidence.bibles, evidence.segments) == (settled.bibles, settled.segments)
    for case in cases:
        check_case(case, jobs[case.job_id], evidence)
    assert jobs[inside.job_id].state is JobState.DONE


@SQLITE_ONLY
def test_poisoned_jobs_end_while_others_go_on(start_node: StartNode) -> None:
    """F33 and F66: a stage that hangs, a job that crashes every process, and honest ones."""
    hanging = Case(Stage.ENCODE_HLS, "p2", uuid7())
    crashing = Case(Stage.RENDER_SHOTS, "p2", uuid7())
    broken = Case(Stage.CHECK_CONTINUITY, "p1", uuid7())
    env = {
        "FAILPOINT": ",".join(
            [
                hanging.failpoint("hang", 99),
                crashing.failpoint("segfault", 99),
                broken.failpoint("fail", 99),
            ]
        ),
        "STORYFORGE_JOBS_STAGE_DEADLINE_S": "5",
    }
    node = start_node(env)
    poisoned = [node.submit(new_scene(node.database).id, job_id=crashing.job_id)]
    poisoned.append(node.submit(new_scene(node.database).id, job_id=hanging.job_id))
    poisoned.append(node.submit(new_scene(node.database).id, job_id=broken.job_id))
    honest = [node.submit(new_scene(node.database).id) for _ in range(4)]
    jobs = node.wait_ended()
    assert all(jobs[one].state is JobState.DONE for one in honest)
    errors = [jobs[one].error for one in poisoned]
    assert [(error.code, error.attempts) for error in errors if error] == [
        ("worker_lost", 3),
        ("stuck", 2),
        ("bug", 1),
    ]
    assert [error.stage for error in errors if error] == [
        Stage.RENDER_SHOTS,
        Stage.ENCODE_HLS,
        Stage.CHECK_CONTINUITY,
    ]
    check_node(node)


@SQLITE_ONLY
def test_a_clean_shutdown_hands_the_job_back_and_a_restart_goes_on(
    start_node: StartNode,
) -> None:
    """F27: SIGTERM while filming; no attempt is consumed. Then F28: everything at once."""
    node = start_node()
    scene = new_scene(node.database).id
    job_id = node.submit(scene, "The fox runs. It hides. It waits. It sleeps.", seconds=40.0)
    node.wait_for(job_id, lambda job: job.stage is Stage.ENCODE_HLS, "reaches the encoder")
    assert node.stop("film") == 0
    handed_back = node.job(job_id)
    assert (handed_back.state, handed_back.attempts) == (JobState.QUEUED, {})
    assert "handed back" in node.log("film")
    node.start("film", WORKERS["film"])
    node.wait_for(job_id, lambda job: job.state is JobState.LEASED, "is filmed again")
    others = [node.submit(new_scene(node.database).id) for _ in range(4)]
    node.stop_all()
    for name, argv in node.programs.items():
        node.start(name, argv)
    jobs = node.wait_ended([job_id, *others])
    assert {job.state for job in jobs.values()} == {JobState.DONE}
    check_node(node)
