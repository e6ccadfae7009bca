"""Metrics are closed by default, and tell what the rows tell; health says whether somebody writes."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.health_checks import Degraded, check_writer
from api.metrics import _escaped
from storyforge.database.workers import ENGINE_ROLE, WorkerRecord, beat_worker
from storyforge.settings import NodeSettings, WriterSettings
from tests.api.nodes import Node, make_node


def keep_engine(node: Node, **info: Any) -> None:
    told = {"device": "0", "model": "qwen", "state": "awake", "figures": {}, **info}
    record = WorkerRecord(name="engine-0@h:1", role=ENGINE_ROLE, pid=os.getpid(), info=told)
    node.database.write(partial(beat_worker, clock=node.database.clock, record=record, ttl_s=60))


def test_metrics_are_closed_by_default(node: Node) -> None:
    assert node.client.get("/metrics").status_code == 404


def test_opened_they_tell_jobs_workers_and_the_engines_own_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(tmp_path)
    opened = NodeSettings(data_dir=tmp_path, metrics=True)
    services = node.app.state.services
    monkeypatch.setattr(
        node.app.state,
        "services",
        replace(services, settings=services.settings.model_copy(update={"node": opened})),
    )
    with node.client:
        node.ask(node.scene(title="A tale"))
        keep_engine(node, figures={"vllm:prompt_tokens_total": 123456789.0})
        answer = node.client.get("/metrics")
    node.database.dispose()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'storyforge_jobs{lane="write",state="queued"} 1' in lines
    assert 'storyforge_workers{role="engine"} 1' in lines
    assert 'storyforge_engine_state{device="0",model="qwen",state="awake"} 1' in lines
    assert 'storyforge_engine_state{device="0",model="qwen",state="hung"} 0' in lines
    assert 'vllm:prompt_tokens_total{device="0",model="qwen"} 123456789' in lines


def test_labels_are_escaped() -> None:
    assert _escaped('a"b\\c\nd') == 'a\\"b\\\\c\\nd'


@pytest.mark.parametrize(
    ("state", "writes"),
    [("awake", True), ("busy", True), ("asleep", True), ("starting", False), ("hung", False)],
)
def test_an_engine_that_does_not_write_yet_degrades_the_node(
    node: Node, state: str, writes: bool
) -> None:
    keep_engine(node, state=state)
    said = check_writer(node.database, WriterSettings(model="/somewhere/models/qwen"))()
    assert isinstance(said, Degraded) is not writes
    words = said.detail if isinstance(said, Degraded) else said
    assert state in words
    assert "somewhere" not in words, "no path of the host"


def test_without_an_engine_the_writer_is_missing_and_with_rules_it_is_not(node: Node) -> None:
    missing = check_writer(node.database, WriterSettings(model="qwen"))()
    assert isinstance(missing, Degraded)
    assert "its server does not run" in missing.detail
    assert check_writer(node.database, WriterSettings())() == "Fixed rules write."
