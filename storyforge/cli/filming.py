"""Film a story on a running node: start a scene, post its continuations, follow their jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storyforge import clock
from storyforge.cli.node_client import NodeClient
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import JobStatus
from storyforge.errors import Broken

_POLL_S = 0.2
_OVER = frozenset({JobStatus.FINAL_READY, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class Continuation:
    """One piece of text and how long its film shall be."""

    text: str
    seconds: float


@dataclass(frozen=True)
class Story:
    """What is filmed as one scene; without a bible the node starts an empty one."""

    title: str
    style_preset: str
    continuations: tuple[Continuation, ...]
    bible: SceneBible | None = None
    voice_preset: str = "none"


@dataclass(frozen=True)
class JobView:
    """What a progress display shows of one job; number counts the continuations from 1."""

    number: int
    count: int
    status: JobStatus
    stage: str
    progress: int
    message: str


def film_story(client: NodeClient, story: Story, watch: Callable[[JobView], None]) -> str:
    """Film everything; gives the scene's id. Raises Broken when a job fails."""
    scene_id = str(client.post("/v1/scenes", _scene_body(story))["id"])
    job_ids: list[str] = []
    for continuation in story.continuations:
        body: dict[str, Any] = {
            "text": continuation.text,
            "targetDuration": continuation.seconds,
            "voicePreset": story.voice_preset,
        }
        if job_ids:
            body["afterJobId"] = job_ids[-1]
        job_ids.append(str(client.post(f"/v1/scenes/{scene_id}/continue", body)["jobId"]))
    for number, job_id in enumerate(job_ids, start=1):
        _follow(client, job_id, number, len(job_ids), watch)
    return scene_id


def _scene_body(story: Story) -> dict[str, Any]:
    body: dict[str, Any] = {"title": story.title, "stylePreset": story.style_preset}
    if story.bible is not None:
        body["bible"] = story.bible.model_dump(mode="json", by_alias=True, exclude={"version"})
    return body


def _follow(
    client: NodeClient, job_id: str, number: int, count: int, watch: Callable[[JobView], None]
) -> None:
    while True:
        job = client.get(f"/v1/jobs/{job_id}")
        view = JobView(
            number=number,
            count=count,
            status=JobStatus(job["status"]),
            stage=str(job["stage"] or ""),
            progress=int(job["progress"]),
            message=str(job["message"]),
        )
        watch(view)
        if view.status in _OVER:
            break
        clock.sleep_s(_POLL_S)
    if view.status is not JobStatus.FINAL_READY:
        error = job.get("error") or {}
        why = error.get("detail") or view.message or "no reason was given"
        raise Broken(f"Continuation {number} of {count} is {view.status}: {why}")
