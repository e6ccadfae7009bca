"""The broker may die, forget, repeat and lie (guarantees F35-F40): jobs live in the database."""

from __future__ import annotations

import base64
import json
import time
from uuid import UUID, uuid4

import pytest
from redis import Redis

from scheduler.dispatch import DRAIN_TASK
from storyforge.domain.job import JobState, Lane
from tests.builders import new_scene
from tests.chaos.node import Node
from tests.journeys.stage_points import check_node
from tests.servers.nodes import SQLITE_ONLY
from tests.servers.valkey import Valkey

pytestmark = SQLITE_ONLY


def _queue_some(node: Node, count: int, seconds: float = 4.0) -> list[UUID]:
    return [node.submit(new_scene(node.database).id, seconds=seconds) for _ in range(count)]


def _are_done(node: Node, job_ids: list[UUID]) -> None:
    jobs = node.wait_ended(job_ids)
    assert [jobs[one].state for one in job_ids] == [JobState.DONE] * len(job_ids)
    assert all(jobs[one].attempts == {} for one in job_ids), "no attempt was spent"
    check_node(node)


def _wait_until_one_runs(node: Node) -> None:
    node.wait_until(lambda: bool(node.busy_workers()), "some job runs")


def test_a_broker_that_dies_loses_no_job(node: Node, broker: Valkey) -> None:
    """F35: nothing was persisted; some jobs are queued and some run."""
    jobs = _queue_some(node, 6)
    _wait_until_one_runs(node)
    broker.kill()
    time.sleep(1.0)
    broker.start()
    _are_done(node, jobs)


def test_a_broker_that_forgets_loses_no_job(node: Node, broker: Valkey) -> None:
    """F36: FLUSHALL, twice."""
    jobs = _queue_some(node, 6)
    _wait_until_one_runs(node)
    broker.flush()
    time.sleep(0.3)
    broker.flush()
    _are_done(node, jobs)


def test_jobs_are_accepted_while_the_broker_is_away(node: Node, broker: Valkey) -> None:
    """F37: the wake-up fails, the sweeper sends one later."""
    broker.kill()
    started_s = time.monotonic()
    jobs = _queue_some(node, 2)
    assert time.monotonic() - started_s < 30.0, "nobody hangs on a broker that is away"
    assert {node.job(one).state for one in jobs} == {JobState.QUEUED}
    broker.start()
    _are_done(node, jobs)


def test_the_same_wake_up_twenty_times_runs_a_job_once(node: Node) -> None:
    """F38."""
    jobs = _queue_some(node, 2, seconds=1.0)
    for _ in range(20):
        for lane in Lane:
            node.dispatcher.wake(lane)
    _are_done(node, jobs)
    assert {node.job(one).epoch for one in jobs} == {3}


def _message(task: str, arguments: list[object], **changes: object) -> bytes:
    """What Celery puts into a queue, with something wrong."""
    body = base64.b64encode(json.dumps([arguments, {}, {}]).encode()).decode()
    identity = str(uuid4())
    message: dict[str, object] = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": identity, "root_id": identity},
        "properties": {
            "correlation_id": identity,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "film"},
            "body_encoding": "base64",
            "delivery_tag": identity,
        },
    }
    return json.dumps({**message, **changes}).encode()


FORGED = {
    "not JSON": b"\x80\x04\x95 not a message",
    "not a message": b'{"hello": "world"}',
    "unknown task": _message("os.system", ["true"]),
    "pickle": _message(DRAIN_TASK, ["film"], **{"content-type": "application/x-python-serialize"}),
    "foreign lane": _message(DRAIN_TASK, ["publish"]),
    "a job's id for a lane": _message(DRAIN_TASK, [str(uuid4())]),
    "wrong arguments": _message(DRAIN_TASK, [{"a": 1}, 2, 3]),
    "no arguments": _message(DRAIN_TASK, []),
    "broken body": _message(DRAIN_TASK, ["film"], body="!!!not base64"),
}


@pytest.mark.parametrize("kind", list(FORGED))
def test_a_forged_message_is_refused_and_the_worker_lives(
    node: Node, broker: Valkey, kind: str
) -> None:
    """F40."""
    node.wait_until(lambda: '"event": "ready"' in node.log("film"), "the film worker is up")
    pid, children = node.pid("film"), node.children("film")
    with Redis(port=broker.port) as client:
        client.lpush(Lane.FILM.value, FORGED[kind])
        node.wait_until(lambda: not client.llen(Lane.FILM.value), "the message was read")
    jobs = _queue_some(node, 1, seconds=1.0)
    _are_done(node, jobs)
    assert (node.pid("film"), node.children("film")) == (pid, children), node.log("film")[-3000:]
