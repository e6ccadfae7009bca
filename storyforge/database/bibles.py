"""The versions of a scene's bible: one hash chain, each link kept whole and as its changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select

from storyforge.database.tables import scene_bibles
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleHistory, BibleOrigin, BiblePatch, BibleVersion
from storyforge.domain.bible_patch import apply, diff
from storyforge.errors import InvalidInput, NotFound

# How many versions share one frozen base; more would fill a prompt with small changes.
_VERSIONS_PER_BASE = 16
# the whole facts of a version stay out of the list
_LISTED = select(*(column for column in scene_bibles.c if column.name not in {"scene_id", "body"}))


def add_bible(
    c: Connection,
    *,
    scene_id: UUID,
    bible: SceneBible,
    origin: BibleOrigin,
    job_id: UUID | None = None,
    now: datetime,
) -> None:
    """Write one more version behind its parent, with what it changes.

    Whoever calls this holds the scene's head; the primary key refuses a second writer of the
    same version all the same.
    """
    parent = c.execute(
        select(scene_bibles.c.content_hash, scene_bibles.c.body).where(
            scene_bibles.c.scene_id == scene_id, scene_bibles.c.version == bible.version - 1
        )
    ).one_or_none()
    patch = diff(SceneBible.model_validate(parent.body), bible) if parent is not None else None
    c.execute(
        insert(scene_bibles).values(
            scene_id=scene_id,
            version=bible.version,
            parent_hash=parent.content_hash if parent is not None else None,
            content_hash=bible.content_hash(),
            body=bible.to_json(),
            patch=patch.to_json() if patch is not None else None,
            origin=origin,
            job_id=job_id,
            created_at=now,
        )
    )


def list_versions(
    c: Connection, scene_id: UUID, *, limit: int, before: int | None = None
) -> Sequence[BibleVersion]:
    """Versions, newest first; `before` is the last one of the page before."""
    query = _LISTED.where(scene_bibles.c.scene_id == scene_id)
    if before is not None:
        query = query.where(scene_bibles.c.version < before)
    rows = c.execute(query.order_by(scene_bibles.c.version.desc()).limit(limit))
    return [BibleVersion.model_validate(dict(row._mapping)) for row in rows]  # noqa: SLF001  SQLAlchemy's public name


def history_of(c: Connection, scene_id: UUID, version: int) -> BibleHistory | None:
    """The frozen base of this version and the changes since; None where one was not kept.

    Costs the same however long the story is.
    """
    base = (version - 1) // _VERSIONS_PER_BASE * _VERSIONS_PER_BASE + 1
    bodies = select(scene_bibles.c.body).where(
        scene_bibles.c.scene_id == scene_id, scene_bibles.c.version == base
    )
    patches = select(scene_bibles.c.patch).where(
        scene_bibles.c.scene_id == scene_id,
        scene_bibles.c.version > base,
        scene_bibles.c.version <= version,
    )
    body = c.execute(bodies).scalar_one_or_none()
    kept = list(c.execute(patches.order_by(scene_bibles.c.version)).scalars())
    if body is None or len(kept) != version - base or None in kept:
        return None
    changes = tuple(BiblePatch.model_validate(one) for one in kept)
    return BibleHistory(base=SceneBible.model_validate(body), changes=changes)


def with_edits_since(c: Connection, scene_id: UUID, version: int, *, as_version: int) -> SceneBible:
    """The bible at `version` with the owner's later edits on top, under another number.

    An edit that is about what is not there any more (someone who came with a segment that is
    gone) is left out. Raises NotFound.
    """
    found = c.execute(
        select(scene_bibles.c.version, scene_bibles.c.body, scene_bibles.c.patch)
        .where(
            scene_bibles.c.scene_id == scene_id,
            (scene_bibles.c.version == version)
            | ((scene_bibles.c.version > version) & (scene_bibles.c.origin == BibleOrigin.EDIT)),
        )
        .order_by(scene_bibles.c.version)
    ).all()
    if not found or found[0].version != version:
        raise NotFound(f"The bible of scene {scene_id} has no version {version}.")
    bible = SceneBible.model_validate(found[0].body)
    for row in found[1:]:
        try:
            bible = apply(bible, BiblePatch.model_validate(row.patch))
        except InvalidInput:
            continue
    return bible.model_copy(update={"version": as_version})
