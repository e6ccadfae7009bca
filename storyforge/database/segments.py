"""Segments: pages of them, their media for playlists, hiding the last one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, func, select, update

from storyforge.database import bibles
from storyforge.database import scenes as scene_rows
from storyforge.database.tables import scene_heads, segments
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleOrigin
from storyforge.domain.scene import Scene
from storyforge.domain.script import Script
from storyforge.domain.segment import EncodedSegment, RungMedia, Segment, SegmentSummary
from storyforge.errors import Conflict, NotFound

SPRITES_INDEX = "sprites.vtt"
_VISIBLE = segments.c.hidden_at.is_(None)
# Built once, as in storyforge/database/scenes.py.
_SUMMARIES = (
    select(segments.c.summary, segments.c.long_summary)
    .where(
        segments.c.scene_id == bindparam("scene_id"),
        _VISIBLE,
        segments.c.number < bindparam("before"),
    )
    .order_by(segments.c.number.desc())
    .limit(bindparam("count"))
)


_LISTED = (
    select(
        segments.c.id,
        segments.c.scene_id,
        segments.c.number,
        segments.c.job_id,
        segments.c.bible_version,
        segments.c.text,
        segments.c.script,
        segments.c.summary,
        segments.c.seconds,
        # asked of the text: reading the list of files takes longer than all the rest of the row
        segments.c.media["files"].as_string().contains(f'"{SPRITES_INDEX}"').label("has_sprites"),
        segments.c.film["line"].as_string().label("filmed"),
        segments.c.created_at,
    )
    .where(
        segments.c.scene_id == bindparam("scene_id"),
        _VISIBLE,
        segments.c.number > bindparam("after_number"),
    )
    .order_by(segments.c.number)
    .limit(bindparam("count"))
)
_RUNGS = TypeAdapter(tuple[RungMedia, ...])


@dataclass(frozen=True)
class ListedSegment:
    """A segment as lists show it; filmed: its film record's line, empty without a record."""

    id: UUID
    scene_id: UUID
    number: int
    job_id: UUID
    bible_version: int
    text: str
    script: Script
    summary: SegmentSummary
    seconds: float
    has_sprites: bool
    filmed: str
    created_at: datetime


def page_segments(
    c: Connection, scene_id: UUID, *, limit: int, after_number: int = 0
) -> Sequence[Segment]:
    """Visible segments in story order, starting behind `after_number`."""
    query = (
        select(segments)
        .where(segments.c.scene_id == scene_id, _VISIBLE, segments.c.number > after_number)
        .order_by(segments.c.number)
        .limit(limit)
    )
    return [_segment(row) for row in c.execute(query)]


def scene_films(c: Connection, scene_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, float]]:
    """(id of the first visible segment, seconds of all) of those of these scenes with a film."""
    of_scenes = (segments.c.scene_id.in_(list(scene_ids)), _VISIBLE)
    lengths = (
        select(segments.c.scene_id, func.sum(segments.c.seconds).label("seconds"))
        .where(*of_scenes)
        .group_by(segments.c.scene_id)
    )
    seconds = {row.scene_id: row.seconds for row in c.execute(lengths)}
    first = select(segments.c.scene_id, segments.c.id).where(*of_scenes, segments.c.number == 1)
    return {row.scene_id: (row.id, seconds[row.scene_id]) for row in c.execute(first)}


def list_segments(
    c: Connection, scene_id: UUID, *, limit: int, after_number: int = 0
) -> Sequence[ListedSegment]:
    """The same as `page_segments`, without what only players need."""
    wanted = {"scene_id": scene_id, "after_number": after_number, "count": limit}
    return [
        ListedSegment(
            id=row.id,
            scene_id=row.scene_id,
            number=row.number,
            job_id=row.job_id,
            bible_version=row.bible_version,
            text=row.text,
            script=Script.model_validate(row.script),
            summary=SegmentSummary.model_validate(row.summary),
            seconds=row.seconds,
            has_sprites=row.has_sprites,
            filmed=row.filmed or "",
            created_at=row.created_at,
        )
        for row in c.execute(_LISTED, wanted)
    ]


def segment_rungs(
    c: Connection, scene_id: UUID, *, after_number: int, up_to_number: int
) -> Sequence[tuple[UUID, Sequence[RungMedia]]]:
    """(segment id, rungs) of the visible segments after_number < n <= up_to_number, in order."""
    query = (
        # the list of files is most of the media and in no playlist
        select(segments.c.id, segments.c.media["rungs"].label("rungs"))
        .where(
            segments.c.scene_id == scene_id,
            _VISIBLE,
            segments.c.number > after_number,
            segments.c.number <= up_to_number,
        )
        .order_by(segments.c.number)
    )
    return [(row.id, _RUNGS.validate_python(row.rungs)) for row in c.execute(query)]


def segment_media(c: Connection, scene_id: UUID, segment_id: UUID) -> EncodedSegment | None:
    """What a visible segment is made of; None when it was taken away or never there."""
    query = select(segments.c.media).where(
        segments.c.scene_id == scene_id, segments.c.id == segment_id, _VISIBLE
    )
    media = c.execute(query).scalar_one_or_none()
    return None if media is None else EncodedSegment.model_validate(media)


def last_rows(c: Connection, scene_id: UUID, count: int, *, before: int) -> Sequence[Row[Any]]:
    """The rows of the last `count` visible segments with number < `before`, in story order."""
    query = (
        select(segments)
        .where(segments.c.scene_id == scene_id, _VISIBLE, segments.c.number < before)
        .order_by(segments.c.number.desc())
        .limit(count)
    )
    return list(c.execute(query))[::-1]


def recent_summaries(
    c: Connection, scene_id: UUID, count: int, *, before: int
) -> tuple[tuple[SegmentSummary, ...], str]:
    """The last `count` visible segments with number < `before`, in story order, in short.

    With the rolling summary of all that is older; that of a story without segments is empty.
    """
    wanted = {"scene_id": scene_id, "before": before, "count": count}
    rows = list(c.execute(_SUMMARIES, wanted))
    told = tuple(SegmentSummary.model_validate(row.summary) for row in reversed(rows))
    return told, rows[0].long_summary if rows else ""


def require_last(c: Connection, scene: Scene, segment_id: UUID) -> Row[Any]:
    """The row of the scene's last segment. Raises NotFound, and Conflict for an earlier one."""
    row = c.execute(
        select(segments).where(
            segments.c.scene_id == scene.id, segments.c.id == segment_id, _VISIBLE
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"Scene {scene.id} has no segment {segment_id}.")
    if row.number != scene.next_number - 1:
        raise Conflict(
            f"Segment {row.number} is not the last one ({scene.next_number - 1}); later "
            "segments build on it."
        )
    return row


def remove_last_segment(c: Connection, scene_id: UUID, segment_id: UUID, *, now: datetime) -> Scene:
    """Hide the scene's last segment and take the bible's content back to before it.

    The bible stays one chain: its old content, with the owner's edits since, comes back as a
    new version. Playlists start a
    new epoch. Raises NotFound, and Conflict when a job is live or it is not the last one.
    """
    head = scene_rows.lock_head(c, scene_id)
    if head.live_job_id is not None:
        raise Conflict(
            f"Job {head.live_job_id} is continuing this scene; wait for it or cancel it first."
        )
    row = require_last(c, scene_rows.get_scene(c, scene_id), segment_id)
    before = bible_before(c, row, version=head.bible_version + 1)
    bibles.add_bible(c, scene_id=scene_id, bible=before, origin=BibleOrigin.REMOVAL, now=now)
    hide(c, scene_id, segment_id, now=now)
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == scene_id)
        .values(
            bible_version=before.version,
            next_number=row.number,
            playlist_epoch=scene_heads.c.playlist_epoch + 1,
            revision=scene_heads.c.revision + 1,
        )
    )
    return scene_rows.get_scene(c, scene_id)


def bible_before(c: Connection, row: Row[Any], *, version: int) -> SceneBible:
    """The bible without what that segment told, under a new version number; edits since stay."""
    return bibles.with_edits_since(c, row.scene_id, row.base_version, as_version=version)


def hide(c: Connection, scene_id: UUID, segment_id: UUID, *, now: datetime) -> None:
    """Take a segment out of every list and playlist; its files go with the garbage."""
    c.execute(
        update(segments)
        .where(segments.c.scene_id == scene_id, segments.c.id == segment_id)
        .values(hidden_at=now)
    )


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        id=row.id,
        scene_id=row.scene_id,
        number=row.number,
        job_id=row.job_id,
        bible_version=row.bible_version,
        text=row.text,
        script=Script.model_validate(row.script),
        summary=SegmentSummary.model_validate(row.summary),
        media=EncodedSegment.model_validate(row.media),
        created_at=row.created_at,
    )
