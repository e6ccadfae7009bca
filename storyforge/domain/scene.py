"""Scenes: the story threads."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from storyforge.domain.segment import HlsProfile
from storyforge.domain.wire import Wire


class SceneApproval(StrEnum):
    """Whether every job of a scene holds for the owner's approval before it is filmed."""

    NONE = "none"
    HOLD = "hold"


class Scene(Wire):
    """A story thread with its head: what the next continuation builds on.

    next_number: the number that the next segment will get, so segments = next_number - 1.
    playlist_epoch: grows when a published segment is hidden; old playlists then answer 410.
    revision: grows with every visible change; the ETag of everything about the scene.
    """

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime
    bible_version: int
    next_number: int
    playlist_epoch: int
    revision: int
    live_job_id: UUID | None = None
    profile: HlsProfile | None = None
    style_preset: str = "storybook"
    approval: SceneApproval = SceneApproval.NONE
