"""An API that dies while it accepts: no 202 without a row, no row without a run (F29, F28)."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2 as httpx

from storyforge.domain.job import JobState
from tests.builders import new_scene
from tests.chaos.evidence import gather
from tests.chaos.node import HANG_S, SWEEPER, WORKERS, Node
from tests.journeys.stage_points import check_node
from tests.servers.nodes import POSTGRES_ONLY, SQLITE_ONLY, StartNode
from tests.servers.postgres import free_port

POINTS = ("p1", "p2", "p3", "p4")


def _post(port: int, scene_id: UUID, key: str) -> Mapping[str, Any]:
    """As a client does: the same key until there is an answer."""
    deadline_s = time.monotonic() + HANG_S
    while time.monotonic() < deadline_s:
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/v1/scenes/{scene_id}/continue",
                json={"text": "The fox waits.", "targetDuration": 1.0},
                headers={"Idempotency-Key": key},
                timeout=30.0,
            )
        except httpx.TransportError:
            time.sleep(0.1)  # it died, or is not up yet
            continue
        if answer.status_code == 202:
            body: Mapping[str, Any] = answer.json()
            return body
        assert answer.status_code == 503, answer.text
        time.sleep(0.2)
    raise AssertionError("the API never answered")


def _start(start_node: StartNode, port: int, **env: str) -> Node:
    programs = {"api": ("api.main",), **WORKERS, **SWEEPER}
    return start_node({"STORYFORGE_NODE_PORT": str(port), **env}, programs=programs)


@SQLITE_ONLY
def test_an_api_that_dies_at_any_point_of_accepting_makes_each_job_once(
    start_node: StartNode,
) -> None:
    """F29: the client that heard nothing asks again with its key, and there is one row."""
    port = free_port()
    points = ",".join(f"accept:{point}:kill" for point in POINTS)
    node = _start(start_node, port, FAILPOINT=points)
    scene = new_scene(node.database).id
    answered = [_post(port, scene, f"key-{number}") for number in range(len(POINTS) + 1)]
    assert node.restarts("api") == len(POINTS)
    node.accepted += [UUID(str(answer["jobId"])) for answer in answered]
    rows = gather(node.database).jobs
    assert sorted(rows) == sorted(node.accepted), "a row for every 202, and no other"
    jobs = node.wait_ended()
    assert {job.state for job in jobs.values()} == {JobState.DONE}
    check_node(node)


@POSTGRES_ONLY
def test_everything_may_die_at_once_and_the_next_start_goes_on(start_node: StartNode) -> None:
    """F28: API, workers and sweeper at one blow, in the middle of work."""
    port = free_port()
    node = _start(start_node, port)
    scenes = [new_scene(node.database).id for _ in range(3)]
    node.accepted += [UUID(str(_post(port, scene, str(scene))["jobId"])) for scene in scenes]
    node.wait_until(lambda: bool(node.busy_workers()), "some job runs")
    for name in node.programs:
        node.signal_group(name, signal.SIGKILL)
    again = _post(port, scenes[0], str(scenes[0]))
    assert UUID(str(again["jobId"])) == node.accepted[0], "the API came back by itself"
    jobs = node.wait_ended()
    assert {job.state for job in jobs.values()} == {JobState.DONE}
    check_node(node)
