"""Plans over HTTP: dryRun, a scene that holds its jobs, approve and reject."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from scheduler.payloads import payload_of
from storyforge import clock
from storyforge.database import leases, stage_results, workers
from storyforge.database.leases import claim_next
from storyforge.database.workers import WorkerRecord
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_cost import FilmSetup
from storyforge.domain.job import Lane, Stage
from storyforge.domain.script import Script, Shot
from tests.api.nodes import Node
from tests.api.test_scenes import BIBLE
from tests.storyforge.test_profile import SHAPE, profile

SCRIPT = Script(
    shots=tuple(Shot(prompt=f"Shot {n}.", characters=("mara",), seconds=4) for n in range(2)),
    writer="rules-1",
)


def write_plan(node: Node) -> None:
    """What the writing lane does with the oldest job, but for the writing."""

    def work(c: Connection) -> None:
        now = clock.utc_now()
        held = claim_next(c, node.database.clock, Lane.WRITE, "w", lease_s=30, fenced=True, now=now)
        assert held is not None
        payload_of(c, held)
        body = {"script": SCRIPT.to_json(), "report": ValidationResult(valid=True).to_json()}
        stage_results.save_result(
            c, held, stage=Stage.CHECK_CONTINUITY, item=0, input_hash="", body=body, now=now
        )
        leases.hand_on(c, node.database.clock, held, Lane.FILM, now=now)

    node.database.write(work)


def planned(node: Node, **wish: Any) -> Any:
    job = node.ask(node.scene(bible=BIBLE), **(wish or {"dryRun": True}))
    write_plan(node)
    return node.client.get(f"/v1/jobs/{job['jobId']}").json()


def act(node: Node, job: Any, verb: str, **body: Any) -> Any:
    return node.client.post(f"/v1/jobs/{job['jobId']}/{verb}", json=body)


def test_a_dry_run_shows_script_report_cost_and_place(node: Node) -> None:
    job = planned(node)
    assert (job["state"], job["waitReason"], job["approval"]) == ("waiting", "approval", "wanted")
    plan = job["plan"]
    assert [shot["prompt"] for shot in plan["script"]["shots"]] == ["Shot 0.", "Shot 1."]
    assert plan["continuity"]["valid"] is True
    assert plan["queuePosition"] == 1
    assert plan["refused"] is None
    assert plan["estimate"] == {"gpuSeconds": None, "reason": "No film worker is running."}


def test_the_cost_is_what_the_profile_of_a_film_worker_says(node: Node) -> None:
    setup = FilmSetup(model="wan", width=832, height=480, fps=20, steps=SHAPE.steps)
    info = {"profile": profile().to_json(), "film": setup.to_json()}
    record = WorkerRecord(name="film", role="film", pid=1, info=info)
    node.database.write(lambda c: workers.beat_worker(c, node.database.clock, record, ttl_s=60))
    estimate = planned(node)["plan"]["estimate"]
    assert estimate["gpuSeconds"] == pytest.approx(86.0), "two clips of 81 frames"
    assert SHAPE.words in estimate["reason"]


def test_others_before_it_count_in_its_place(node: Node) -> None:
    first = planned(node)
    assert act(node, first, "approve").status_code == 200
    assert planned(node)["plan"]["queuePosition"] == 2


def test_approving_wakes_the_film_lane_and_an_own_script_the_writing_one(node: Node) -> None:
    job = planned(node)
    node.wake_ups.lanes.clear()
    approved = act(node, job, "approve").json()
    assert (approved["state"], approved["approval"]) == ("queued", "given")
    assert node.wake_ups.lanes == [Lane.FILM]
    other = planned(node)
    node.wake_ups.lanes.clear()
    shots = [{"prompt": "Mara waves.", "characters": ["Mara"], "seconds": 8}]
    assert act(node, other, "approve", script={"shots": shots}).status_code == 200
    assert node.wake_ups.lanes == [Lane.WRITE]
    told = [event.job for event in node.events.events if event.job is not None]
    assert told[-1].job_id == UUID(other["jobId"])


@pytest.mark.parametrize(
    ("script", "pointer"),
    [
        ({"shots": []}, "/script/shots"),
        ({"shots": [{"prompt": "x", "seconds": 8, "lens": 1}]}, "/script/shots/0/lens"),
        ({"shots": [{"prompt": "a\x00b", "seconds": 8}]}, "/script/shots/0/prompt"),
        ({"shots": [{"prompt": "x", "seconds": 3}]}, "/script/shots"),
        (
            {"shots": [{"prompt": "x", "seconds": 8, "characters": ["Zoe"]}]},
            "/script/shots/0/characters/0",
        ),
        ({"shots": [{"prompt": "x", "seconds": 8}], "writer": "me"}, "/script/writer"),
    ],
)
def test_what_a_script_cannot_be_is_named(node: Node, script: Any, pointer: str) -> None:
    job = planned(node)
    answer = act(node, job, "approve", script=script)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert node.client.get(f"/v1/jobs/{job['jobId']}").json()["state"] == "waiting"


def test_rejecting_ends_the_job_with_its_reason(node: Node) -> None:
    job = planned(node)
    rejected = act(node, job, "reject", reason="Too dark.").json()
    assert (rejected["status"], rejected["message"]) == ("cancelled", "Rejected: Too dark.")
    assert rejected["plan"] is None
    assert act(node, job, "reject").status_code == 200
    assert act(node, job, "approve").status_code == 409


def test_a_scene_says_whether_its_jobs_hold(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    url = f"/v1/scenes/{scene_id}"
    assert node.client.get(url).json()["approval"] == "none"
    assert node.client.patch(url, json={"approval": "hold"}).json()["approval"] == "hold"
    assert node.ask(scene_id)["approval"] == "wanted"
    assert node.client.patch(url, json={"approval": "maybe"}).status_code == 422


def test_a_job_that_nobody_holds_cannot_be_approved(node: Node) -> None:
    job = node.ask(node.scene())
    assert job["approval"] == "none"
    for verb in ("approve", "reject"):
        assert "waits for approval" in act(node, job, verb).json()["detail"]
    assert node.client.get(f"/v1/jobs/{job['jobId']}").json()["plan"] is None


def test_the_page_shows_the_plan_and_asks(node: Node) -> None:
    job = planned(node)
    listed = node.client.get(f"/scenes/{job['sceneId']}/jobs").text
    assert "Shall this be filmed?" in listed
    assert "Shot 1." in listed
    assert 'data-act="approve"' in listed
    assert 'data-act="reject"' in listed
    act(node, job, "approve")
    assert 'data-act="approve"' not in node.client.get(f"/scenes/{job['sceneId']}/jobs").text
