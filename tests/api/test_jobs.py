"""Jobs: read, listed, cancelled, retried, discarded."""

from __future__ import annotations

from uuid import UUID, uuid4

from storyforge import clock
from storyforge.database.jobs import end_job, lock_job
from storyforge.domain.job import JobError, JobState, JobStatus, Lane
from tests.api.nodes import Node


def fail(node: Node, job_id: str) -> None:
    """End a job as the workers do when its work cannot pass."""
    error = JobError(code="render_failed", detail="Black frames.", stage="render_shots")
    node.database.write(
        lambda c: end_job(
            c,
            lock_job(c, UUID(job_id)),
            JobState.DEAD,
            JobStatus.FAILED,
            "Failed.",
            now=clock.utc_now(),
            error=error,
        )
    )


def test_a_job_tells_what_was_asked_and_nothing_of_the_inside(node: Node) -> None:
    scene_id = node.scene()
    job = node.client.get(f"/v1/jobs/{node.ask(scene_id)['jobId']}").json()
    assert job["sceneId"] == scene_id
    assert not {"epoch", "worker", "lane", "payload", "dueAt"} & job.keys()
    assert node.client.get(f"/v1/jobs/{uuid4()}").status_code == 404


def test_jobs_are_listed_by_scene_and_state_in_pages(node: Node) -> None:
    one, other = node.scene(), node.scene()
    asked = [node.ask(one)["jobId"] for _ in range(3)]
    node.ask(other)
    first = node.client.get(f"/v1/jobs?sceneId={one}&limit=2").json()
    rest = node.client.get(f"/v1/jobs?sceneId={one}&cursor={first['nextCursor']}").json()
    assert [job["jobId"] for job in first["items"] + rest["items"]] == asked[::-1]
    assert rest["nextCursor"] is None
    waiting = node.client.get(f"/v1/jobs?state=waiting&state=dead&sceneId={one}").json()["items"]
    assert [job["jobId"] for job in waiting] == asked[:0:-1]


def test_a_cancelled_job_stays_cancelled_and_a_done_one_done(node: Node) -> None:
    scene_id = node.scene()
    job_id = node.ask(scene_id)["jobId"]
    for _ in range(2):
        answer = node.client.post(f"/v1/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert node.client.post(f"/v1/jobs/{job_id}/retry").status_code == 409
    done = node.ask(scene_id)["jobId"]
    node.finish(done)
    assert node.client.post(f"/v1/jobs/{done}/cancel").status_code == 409
    assert node.client.post(f"/v1/jobs/{uuid4()}/cancel").status_code == 404
    told = [event.job.status for event in node.events.events if event.job]
    assert JobStatus.CANCELLED in told


def test_a_dead_letter_says_why_and_is_retried_or_discarded(node: Node) -> None:
    job_id = node.ask(node.scene())["jobId"]
    fail(node, job_id)
    dead = node.client.get("/v1/jobs?dead=true").json()["items"]
    assert [job["jobId"] for job in dead] == [job_id]
    assert dead[0]["status"] == "failed"
    assert dead[0]["error"]["detail"] == "Black frames."
    node.wake_ups.lanes.clear()
    retried = node.client.post(f"/v1/jobs/{job_id}/retry")
    assert retried.json()["state"] == "queued"
    assert retried.json()["error"] is None
    assert node.wake_ups.lanes == [Lane.WRITE]
    assert node.client.get("/v1/jobs?dead=true").json()["items"] == []
    assert node.client.post(f"/v1/jobs/{job_id}/discard").status_code == 409
    fail(node, job_id)
    assert node.client.post(f"/v1/jobs/{job_id}/discard").json()["discarded"] is True
    assert node.client.get("/v1/jobs?dead=true").json()["items"] == []
    assert node.client.get("/v1/jobs?state=dead").json()["items"] != []
    assert node.client.get("/v1/jobs?dead=true&state=done").status_code == 422


def test_jobs_behind_a_failed_one_are_held_and_can_be_released(node: Node) -> None:
    scene_id = node.scene()
    first, second = node.ask(scene_id)["jobId"], node.ask(scene_id)["jobId"]
    assert node.client.post(f"/v1/jobs/{second}/retry").status_code == 409
    fail(node, first)
    held = node.client.get(f"/v1/jobs/{second}").json()
    assert held["state"] == "waiting"
    assert held["message"].startswith("Held")
    assert node.client.post(f"/v1/jobs/{second}/retry").json()["state"] == "queued"
