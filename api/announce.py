"""Tells the rest of the node what a committed write changed; losing any of it changes nothing."""

from __future__ import annotations

from uuid import UUID

from api.services import Services
from storyforge.domain.job import Job
from storyforge.events import LiveEvent


def job_moved(services: Services, job: Job) -> None:
    """Publish where the job stands now."""
    services.events.publish(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))


def scene_moved(services: Services, scene_id: UUID, revision: int | None) -> None:
    """Publish the scene's new revision; None says that it is gone."""
    services.events.publish(LiveEvent(kind="scene", scene_id=scene_id, revision=revision))
