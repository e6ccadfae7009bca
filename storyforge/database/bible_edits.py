"""The owner's edits of a bible: one transaction that moves the scene's head by one version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, update

from storyforge.database import bibles
from storyforge.database import scenes as scene_rows
from storyforge.database.tables import scene_heads, scenes
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleOrigin
from storyforge.domain.scene import Scene
from storyforge.errors import Conflict


def edit_bible(
    c: Connection,
    scene_id: UUID,
    *,
    base_version: int,
    change: Callable[[SceneBible], SceneBible],
    now: datetime,
) -> tuple[Scene, SceneBible]:
    """Make the next version by `change`, if `base_version` is still the newest.

    A change that changes nothing makes no version, so sending one twice is fine. Raises
    NotFound, Conflict (another version, or a job that builds on this one) and what `change`
    raises.
    """
    head = scene_rows.lock_head(c, scene_id)
    if head.bible_version != base_version:
        raise Conflict(
            f"You changed bible version {base_version}, but the scene is at version "
            f"{head.bible_version}. Read the new bible and change that one."
        )
    if head.live_job_id is not None:
        raise Conflict(
            f"Job {head.live_job_id} is continuing this scene on bible version "
            f"{head.bible_version}. Wait for it or cancel it, then change the bible."
        )
    old = scene_rows.get_bible(c, scene_id, base_version)
    new = change(old).model_copy(update={"version": base_version + 1})
    if new.content_hash() == old.content_hash():
        return scene_rows.get_scene(c, scene_id), old
    bibles.add_bible(c, scene_id=scene_id, bible=new, origin=BibleOrigin.EDIT, now=now)
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == scene_id)
        .values(bible_version=new.version, revision=scene_heads.c.revision + 1)
    )
    c.execute(
        update(scenes)
        .where(scenes.c.id == scene_id)
        .values(style_preset=new.style.preset, updated_at=now)
    )
    return scene_rows.get_scene(c, scene_id), new
