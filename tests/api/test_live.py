"""The live socket: snapshot, numbered updates, limits, and both of its sources."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from api import live as live_module
from api.live_outbox import Outbox
from storyforge.domain.job import JobStatus
from storyforge.events import CHANNEL, RedisEvents
from storyforge.settings import LimitSettings
from tests.api.nodes import BASE, Node, make_node
from tests.servers.valkey import Valkey


@contextmanager
def connected(node: Node, *scene_ids: str, **headers: str) -> Iterator[WebSocketTestSession]:
    url = BASE.replace("http", "ws") + "/v1/live"
    with node.client.websocket_connect(url, headers={"origin": BASE, **headers}) as socket:
        if scene_ids:
            socket.send_json({"type": "subscribe", "sceneIds": list(scene_ids)})
        yield socket


def until(socket: WebSocketTestSession, wanted: Callable[[Any], bool]) -> list[Any]:
    """All messages up to the wanted one."""
    found = []
    for _ in range(100):
        found.append(socket.receive_json())
        if wanted(found[-1]):
            return found
    raise AssertionError(f"not among {found}")


def tell(node: Node, job: dict[str, Any], **changes: Any) -> None:
    """Let an event reach the hub as Redis would bring it."""
    event = node.events.events[-1].model_copy(deep=True)
    assert event.job is not None
    moved = event.job.model_copy(update={"job_id": UUID(job["jobId"]), **changes})
    node.app.state.services.hub._hear(event.model_copy(update={"job": moved}).model_dump_json())


def test_a_subscriber_gets_a_snapshot_and_then_updates(node: Node) -> None:
    scene_id = node.scene(title="Live")
    job = node.ask(scene_id)
    with connected(node, scene_id, str(unknown := uuid4())) as socket:
        snapshot = socket.receive_json()
        assert snapshot["type"] == "snapshot"
        assert [scene["title"] for scene in snapshot["scenes"]] == ["Live"]
        assert [one["jobId"] for one in snapshot["jobs"]] == [job["jobId"]]
        assert snapshot["missing"] == [str(unknown)]
        node.finish(job["jobId"])
        messages = until(socket, lambda one: one["type"] == "scene")
        updates = [one["update"] for one in messages if one["type"] == "update"]
        assert updates[-1]["status"] == "final_ready"
        assert updates[-1]["result"]["updatedBibleVersion"] == 2
        numbers = [update["seq"] for update in updates]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > snapshot["jobs"][0]["seq"]


def test_the_end_of_a_job_comes_exactly_once_though_both_sources_tell_it(node: Node) -> None:
    scene_id = node.scene()
    with connected(node, scene_id) as socket:
        socket.receive_json()
        job = node.ask(scene_id)
        cancelled = node.client.post(f"/v1/jobs/{job['jobId']}/cancel").json()
        for _ in range(3):
            tell(node, job, seq=cancelled["seq"], status=JobStatus.CANCELLED)
        time.sleep(2.5)  # two looks at the rows
        socket.send_json({"type": "ping"})
        messages = until(socket, lambda one: one["type"] == "pong")
    ended = [
        one
        for one in messages
        if one["type"] == "update" and one["update"]["status"] == "cancelled"
    ]
    assert len(ended) == 1


def test_a_job_that_lived_between_two_looks_is_told_without_a_broker(node: Node) -> None:
    scene_id = node.scene()
    with connected(node, scene_id) as socket:
        socket.receive_json()
        job = node.ask(scene_id)
        node.client.post(f"/v1/jobs/{job['jobId']}/cancel")
        messages = until(socket, lambda one: one["type"] == "update")
        assert messages[-1]["update"]["jobId"] == job["jobId"]
        assert messages[-1]["update"]["status"] == "cancelled"


def test_what_ended_while_nobody_listened_is_in_the_next_snapshot(node: Node) -> None:
    scene_id = node.scene()
    job = node.ask(scene_id)
    with connected(node, scene_id) as socket:
        assert socket.receive_json()["jobs"][0]["status"] == "queued"
    node.finish(job["jobId"])
    with connected(node, scene_id) as socket:
        assert socket.receive_json()["jobs"][0]["status"] == "final_ready"


def test_every_subscriber_hears_and_unsubscribed_ones_do_not(node: Node) -> None:
    scene_id = node.scene()
    with connected(node, scene_id) as one, connected(node, scene_id) as other:
        one.receive_json()
        other.receive_json()
        other.send_json({"type": "unsubscribe", "sceneIds": [scene_id]})
        other.send_json({"type": "ping"})
        assert other.receive_json() == {"type": "pong"}
        job = node.ask(scene_id)
        until(one, lambda message: message["type"] == "update")
        other.send_json({"type": "ping"})
        assert other.receive_json() == {"type": "pong"}
        other.send_json({"type": "subscribe", "sceneIds": [scene_id]})
        again = other.receive_json()
        assert [update["jobId"] for update in again["jobs"]] == [job["jobId"]]
    assert node.app.state.services.hub.sockets == 0
    assert node.app.state.services.hub._readers == {}


def test_a_deleted_scene_is_told(node: Node) -> None:
    scene_id = node.scene()
    with connected(node, scene_id) as socket:
        socket.receive_json()
        node.client.delete(f"/v1/scenes/{scene_id}")
        messages = until(socket, lambda one: one["type"] == "scene")
        assert messages[-1]["deleted"] is True


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:8400"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
def test_foreign_pages_cannot_listen(node: Node, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, connected(node, **headers):
        pass
    assert refused.value.status_code == 403
    assert refused.value.json()["code"] == "forbidden"
    assert "content-security-policy" in refused.value.headers


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"type":"subscribe"}',
        '{"type":"subscribe","sceneIds":[]}',
        '{"type":"subscribe","sceneIds":["x"]}',
        '{"type":"dance","sceneIds":[]}',
        '{"type":"ping","extra":1}',
        "[" * 5000,
        '{"type":"\\u0000"}',
    ],
)
def test_what_is_not_understood_is_answered_and_the_line_stays(node: Node, text: str) -> None:
    with connected(node) as socket:
        socket.send_text(text)
        assert socket.receive_json()["code"] == "invalid_input"
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}


def test_one_line_follows_a_hundred_scenes_and_no_more(node: Node) -> None:
    with connected(node) as socket:
        many = [str(uuid4()) for _ in range(101)]
        socket.send_json({"type": "subscribe", "sceneIds": many})
        assert socket.receive_json()["type"] == "error"
        there = [node.scene() for _ in range(3)]
        socket.send_json({"type": "subscribe", "sceneIds": [*there, *many[:97]]})
        assert len(socket.receive_json()["scenes"]) == 3


def closed_code(socket: WebSocketTestSession) -> int:
    try:
        while True:
            socket.receive_json()
    except WebSocketDisconnect as closed:
        return closed.code


def test_floods_long_messages_and_bytes_end_the_line(node: Node) -> None:
    with connected(node) as socket:
        for _ in range(101):
            socket.send_json({"type": "ping"})
        assert closed_code(socket) == 1008
    with connected(node) as socket:
        socket.send_text("x" * (64 * 1024 + 1))
        assert closed_code(socket) == 1009
    with connected(node) as socket:
        socket.send_bytes(b"{}")
        assert closed_code(socket) == 1003


def test_a_database_that_is_away_ends_the_line_for_another_try(node: Node) -> None:
    scene_id = node.scene()
    path = node.settings.node.data_dir / "storyforge.db"
    node.database.dispose()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    with connected(node, scene_id) as socket:
        assert closed_code(socket) == 1013


def test_too_many_lines_are_refused_with_a_time_to_come_back(tmp_path: Path) -> None:
    node = make_node(tmp_path, limits=LimitSettings(live_sockets=1))
    with node.client, connected(node):
        with pytest.raises(WebSocketDenialResponse) as refused, connected(node):
            pass
        assert refused.value.status_code == 503
        assert refused.value.headers["retry-after"] == "30"
    node.database.dispose()


def test_a_reader_that_does_not_read_is_let_go(node: Node, monkeypatch: Any) -> None:
    monkeypatch.setattr(live_module, "_SEND_TIMEOUT_S", 0.05)

    class Stuck:
        async def send_text(self, _: str) -> None:
            await asyncio.sleep(60)

    async def run() -> None:
        outbox = Outbox()
        outbox.put("{}")
        await live_module._write(Stuck(), outbox)  # type: ignore[arg-type]

    with pytest.raises(live_module._Refused) as refused:
        asyncio.run(run())
    assert refused.value.code == 1013


def test_events_cross_processes_through_redis_and_its_loss_only_costs_a_moment(
    tmp_path: Path,
) -> None:
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    node = make_node(tmp_path, broker_url=valkey.url)
    # rows are not looked at in this test's first half: only Redis can bring the news
    node.app.state.services.hub._poll_s = 3600
    events = RedisEvents(valkey.url, timeout_s=1)
    with node.client:
        scene_id = node.scene()
        with connected(node, scene_id) as socket:
            socket.receive_json()
            wait_for_listener(events)
            events._client.publish(CHANNEL, b"garbage")
            events._client.publish(CHANNEL, b'{"kind":"job"}')
            node.ask(scene_id)
            events.publish(node.events.events[-1])
            assert until(socket, lambda one: one["type"] == "update")
    events.close()
    valkey.kill()
    node.database.dispose()


def wait_for_listener(events: RedisEvents) -> None:
    for _ in range(200):
        if dict(events._client.pubsub_numsub(CHANNEL)).get(CHANNEL.encode()):
            return
        time.sleep(0.05)
    raise AssertionError("nobody listens")


def test_a_broker_that_comes_back_is_heard_again(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    node = make_node(tmp_path, broker_url=valkey.url)
    with node.client:
        scene_id = node.scene()
        with connected(node, scene_id) as socket:
            socket.receive_json()
            valkey.kill()
            job = node.ask(scene_id)  # heard from the rows
            until(socket, lambda one: one["type"] == "update")
            node.app.state.services.hub._poll_s = 3600
            time.sleep(1.2)
            valkey.start()
            events = RedisEvents(valkey.url, timeout_s=1)
            wait_for_listener(events)
            node.client.post(f"/v1/jobs/{job['jobId']}/cancel")
            events.publish(node.events.events[-1])
            messages = until(socket, lambda one: one["type"] == "update")
            assert messages[-1]["update"]["status"] == "cancelled"
            events.close()
    valkey.kill()
    node.database.dispose()
