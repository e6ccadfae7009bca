"""Scenes, their heads and their bibles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from storyforge.database.bibles import add_bible
from storyforge.database.tables import scene_bibles, scene_heads, scenes
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleOrigin
from storyforge.domain.scene import Scene, SceneApproval
from storyforge.domain.segment import HlsProfile
from storyforge.errors import NotFound

LOCAL_OWNER = "local"  # the one owner until accounts come


def create_scene(
    c: Connection, *, scene_id: UUID, title: str, bible: SceneBible, now: datetime
) -> Scene:
    """A new scene whose bible is at version 1."""
    first = bible.model_copy(update={"version": 1})
    c.execute(
        insert(scenes).values(
            id=scene_id,
            owner_id=LOCAL_OWNER,
            title=title,
            style_preset=first.style.preset,
            profile=None,
            approval=SceneApproval.NONE,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
    )
    c.execute(
        insert(scene_heads).values(
            scene_id=scene_id,
            bible_version=1,
            next_number=1,
            live_job_id=None,
            playlist_epoch=1,
            revision=1,
        )
    )
    add_bible(c, scene_id=scene_id, bible=first, origin=BibleOrigin.START, now=now)
    return get_scene(c, scene_id)


def get_scene(c: Connection, scene_id: UUID) -> Scene:
    """The scene with its head. Raises NotFound when it is not there or deleted."""
    row = c.execute(_ONE_SCENE, {"scene_id": scene_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no scene {scene_id}.")
    return _scene(row)


def get_story(c: Connection, scene_id: UUID) -> tuple[Scene, SceneBible]:
    """The scene with its head, and the bible there. Raises NotFound."""
    row = c.execute(_STORY, {"scene_id": scene_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no scene {scene_id}.")
    return _scene(row), SceneBible.model_validate(row.body)


def list_scenes(c: Connection, *, limit: int, before: UUID | None = None) -> Sequence[Scene]:
    """Scenes, newest first; `before` is the last id of the page before."""
    query = _SCENE.where(scenes.c.owner_id == LOCAL_OWNER)
    if before is not None:
        query = query.where(scenes.c.id < before)
    return [_scene(row) for row in c.execute(query.order_by(scenes.c.id.desc()).limit(limit))]


def find_scenes(c: Connection, scene_ids: Collection[UUID]) -> Sequence[Scene]:
    """Those of these scenes that are there."""
    return [_scene(row) for row in c.execute(_SCENE.where(scenes.c.id.in_(list(scene_ids))))]


def scene_revisions(c: Connection, scene_ids: Collection[UUID]) -> dict[UUID, int]:
    """The revisions of those of these scenes that are there."""
    query = (
        select(scene_heads.c.scene_id, scene_heads.c.revision)
        .join(scenes, scenes.c.id == scene_heads.c.scene_id)
        .where(scene_heads.c.scene_id.in_(list(scene_ids)), scenes.c.deleted_at.is_(None))
    )
    return {row.scene_id: row.revision for row in c.execute(query)}


def change_scene(
    c: Connection,
    scene_id: UUID,
    *,
    now: datetime,
    title: str | None = None,
    approval: SceneApproval | None = None,
) -> Scene:
    """Change what is given; with nothing given, say that what is kept elsewhere has changed.

    Raises NotFound.
    """
    head = lock_head(c, scene_id)
    values = {"approval": approval or head.approval, "updated_at": now}
    if title is not None:
        values["title"] = title
    c.execute(update(scenes).where(scenes.c.id == scene_id).values(values))
    bump_revision(c, scene_id)
    return get_scene(c, scene_id)


def bump_revision(c: Connection, scene_id: UUID) -> None:
    """Say that something visible about the scene changed."""
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == scene_id)
        .values(revision=scene_heads.c.revision + 1)
    )


def lock_head(c: Connection, scene_id: UUID) -> Row[Any]:
    """The scene's head and settings, the head locked until the transaction ends. Raises NotFound."""
    row = c.execute(_LOCKED_HEAD, {"scene_id": scene_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no scene {scene_id}.")
    return row


def get_bible(c: Connection, scene_id: UUID, version: int | None = None) -> SceneBible:
    """The bible at `version`, or at the scene's head. Raises NotFound."""
    if version is None:
        version = get_scene(c, scene_id).bible_version
    wanted = {"scene_id": scene_id, "version": version}
    body = c.execute(_BIBLE, wanted).scalar_one_or_none()
    if body is None:
        raise NotFound(f"The bible of scene {scene_id} has no version {version}.")
    return SceneBible.model_validate(body)


# Statements that every request or job needs are built once: building one costs several times
# as much as running it.
_SCENE = (
    select(scenes, scene_heads)
    .join(scene_heads, scene_heads.c.scene_id == scenes.c.id)
    .where(scenes.c.deleted_at.is_(None))
)
_ONE_SCENE = _SCENE.where(scenes.c.id == bindparam("scene_id"))
_STORY = (
    _ONE_SCENE.add_columns(scene_bibles.c.body)
    .join(scene_bibles, scene_bibles.c.scene_id == scenes.c.id)
    .where(scene_bibles.c.version == scene_heads.c.bible_version)
)
_LOCKED_HEAD = (
    select(scene_heads, scenes.c.style_preset, scenes.c.approval)
    .join(scenes, scenes.c.id == scene_heads.c.scene_id)
    .where(scene_heads.c.scene_id == bindparam("scene_id"), scenes.c.deleted_at.is_(None))
    .with_for_update(of=scene_heads)
)
_BIBLE = select(scene_bibles.c.body).where(
    scene_bibles.c.scene_id == bindparam("scene_id"),
    scene_bibles.c.version == bindparam("version"),
)


def _scene(row: Row[Any]) -> Scene:
    return Scene(
        id=row.id,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        bible_version=row.bible_version,
        next_number=row.next_number,
        playlist_epoch=row.playlist_epoch,
        revision=row.revision,
        live_job_id=row.live_job_id,
        profile=HlsProfile.model_validate(row.profile) if row.profile else None,
        style_preset=row.style_preset,
        approval=SceneApproval(row.approval),
    )
