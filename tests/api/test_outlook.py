"""A job's place in line and its time, as its object tells them."""

from __future__ import annotations

import os
from functools import partial

from storyforge.database.workers import WorkerRecord, beat_worker
from storyforge.domain.film_cost import FilmSetup
from tests.api.nodes import Node
from tests.scheduler.test_pace import figures, profile

SETUP = FilmSetup(model="tiny", width=64, height=64, fps=24, steps=2, precision="fp32")


def _film_worker(node: Node, info: dict[str, object]) -> None:
    record = WorkerRecord(name="film@host:1", role="film", pid=os.getpid(), info=info)
    node.database.write(partial(beat_worker, clock=node.database.clock, record=record, ttl_s=60))


def _asked(node: Node) -> str:
    return str(node.ask(node.scene())["jobId"])


def test_queued_jobs_tell_their_place_and_time_from_the_card_s_profile(node: Node) -> None:
    measured = profile(figures("tiny", 121))
    _film_worker(node, {"film": SETUP.to_json(), "profile": measured.to_json()})
    first, second = (node.client.get(f"/v1/jobs/{_asked(node)}").json() for _ in range(2))
    assert (first["queuePosition"], second["queuePosition"]) == (1, 2)
    assert 0 < first["etaSeconds"] < second["etaSeconds"]
    assert "64x64" in first["etaReason"]
    listed = node.client.get("/v1/jobs").json()["items"]
    assert [one["queuePosition"] for one in listed] == [2, 1]
    assert listed[0]["etaSeconds"] == second["etaSeconds"]


def test_without_a_profile_or_a_worker_there_is_no_time_but_a_reason(node: Node) -> None:
    job_id = _asked(node)
    job = node.client.get(f"/v1/jobs/{job_id}").json()
    assert (job["queuePosition"], job["etaSeconds"]) == (1, None)
    assert job["etaReason"] == "No film worker is running."
    _film_worker(node, {"film": SETUP.to_json(), "profile": None})
    job = node.client.get(f"/v1/jobs/{job_id}").json()
    assert job["etaSeconds"] is None
    assert "storyforge bench" in job["etaReason"]


def test_a_job_that_has_ended_stands_in_no_line(node: Node) -> None:
    job_id = _asked(node)
    node.client.post(f"/v1/jobs/{job_id}/cancel")
    job = node.client.get(f"/v1/jobs/{job_id}").json()
    assert (job["queuePosition"], job["etaSeconds"]) == (None, None)
