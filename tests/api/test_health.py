"""Health: alive always, ready only with all that a continuation needs."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path

from api.health_checks import HealthChecks, check_broker
from storyforge.database.workers import WorkerRecord, beat_worker
from storyforge.errors import StoreUnreachable
from tests.api.nodes import Node
from tests.servers.valkey import Valkey


def test_a_process_that_answers_is_alive(node: Node) -> None:
    assert node.client.get("/health/live").json() == {"status": "alive"}


def test_a_node_without_workers_is_not_ready_and_says_who_is_missing(node: Node) -> None:
    answer = node.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert checks["database"]["ok"]
    assert checks["store"]["ok"]
    assert not checks["workers"]["ok"]
    assert "write, film, publish, sweeper" in checks["workers"]["detail"]


def test_a_node_with_all_its_workers_is_ready(node: Node) -> None:
    for role in ("write", "film", "publish", "sweeper"):
        record = WorkerRecord(name=role, role=role, pid=os.getpid(), info={})
        beat = partial(beat_worker, clock=node.database.clock, record=record, ttl_s=60)
        node.database.write(beat)
    answer = node.client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"


def _work(node: Node, name: str, role: str, info: dict[str, object]) -> None:
    record = WorkerRecord(name=name, role=role, pid=os.getpid(), info=info)
    node.database.write(partial(beat_worker, clock=node.database.clock, record=record, ttl_s=60))


def test_a_quarantined_device_degrades_the_node_and_the_last_one_stops_it(node: Node) -> None:
    """F32: health says so, and why."""
    for role in ("write", "publish", "sweeper"):
        _work(node, role, role, {})
    sound = {"gpu": {"name": "Card"}, "quarantine": "", "video": "wan-5b"}
    _work(node, "film@host:1", "film", {**sound, "device": "0"})
    _work(node, "film@host:2", "film", {**sound, "device": "1"})
    answer = node.client.get("/health/ready").json()
    assert answer["status"] == "ready"
    said = {"name": "devices", "ok": True, "degraded": False}
    assert {**said, "detail": "Filming on Card with wan-5b."} in answer["checks"]
    thrifty = {**sound, "device": "1", "savings": ["take_turns", "text_on_cpu"]}
    _work(node, "film@host:2", "film", thrifty)
    told = "Card with wan-5b; Card with wan-5b, saving memory by take turns, text on cpu"
    answer = node.client.get("/health/ready").json()
    assert {**said, "detail": f"Filming on {told}."} in answer["checks"]
    # process 2 was ended by the fault, and is still remembered
    _work(node, "film@host:3", "film", {**sound, "device": "1", "quarantine": "Xid 95."})
    answer = node.client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    (devices,) = [one for one in answer.json()["checks"] if one["name"] == "devices"]
    assert devices == {"name": "devices", "ok": True, "detail": "Xid 95.", "degraded": True}
    _work(node, "film@host:1", "film", {**sound, "device": "0", "quarantine": "Xid 79."})
    answer = node.client.get("/health/ready")
    assert answer.status_code == 503
    assert "No device may film; jobs wait. Xid 79. Xid 95." in answer.text


def test_a_check_that_hangs_or_breaks_costs_bounded_time_and_is_named() -> None:
    release = threading.Event()
    started = []

    def hangs() -> str:
        started.append(1)
        release.wait(30)
        return "late"

    def breaks() -> str:
        raise RuntimeError("secret")

    def down() -> str:
        raise StoreUnreachable("The store is away.")

    checks = HealthChecks({"a": hangs, "b": breaks, "c": down, "d": lambda: "fine"}, timeout_s=0.1)
    for _ in range(3):
        found = {finding.name: finding for finding in checks.look()}
        assert [found[name].ok for name in "abcd"] == [False, False, False, True]
        assert "secret" not in found["b"].detail
        assert found["c"].detail == "The store is away."
    assert len(started) == 1  # it is not started again while it hangs
    release.set()
    checks.close()


def test_the_broker_is_asked(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path)
    valkey.start()
    checks = HealthChecks({"broker": check_broker(valkey.url, 0.5)})
    assert checks.look()[0].ok
    valkey.kill()
    down = checks.look()[0]
    assert not down.ok
    assert valkey.url not in down.detail
    checks.close()
