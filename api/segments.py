"""Segments and how they play: JSON pages, the scene's master and its rung playlists."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.etags import accepts_gzip, gzip_tag, matches, strong_tag, unchanged
from api.paging import Limit
from api.services import Services, Use
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.database.segments import SPRITES_INDEX, ListedSegment
from storyforge.domain.scene import Scene
from storyforge.domain.script import Shot
from storyforge.domain.wire import Wire
from storyforge.errors import Gone, NotFound
from storyforge.playlists import PLAYLIST_TYPE
from storyforge.storage import paths

router = APIRouter(prefix="/v1/scenes/{scene_id}", tags=["playback"])
_MAX_NUMBER = 2**31 - 1  # the column's

# Wire shapes


class ShotOut(Wire):
    """One shot in a few words."""

    seconds: float
    camera: str
    characters: tuple[str, ...]
    place: str
    narration: str


class SegmentOut(Wire):
    """One segment; addresses are paths on this node.

    sprites_url: a WebVTT index, or None. filmed: how it was filmed in one line, or empty; the whole
    record is at `/v1/scenes/{id}/segments/{segmentId}/film`.
    """

    id: UUID
    number: int
    text: str
    seconds: float
    bible_version: int
    job_id: UUID
    created_at: datetime
    master_url: str
    thumbnail_url: str
    sprites_url: str | None
    summary: str
    writer: str
    notice: str
    filmed: str
    shots: tuple[ShotOut, ...]


class ScenePlaylist(Wire):
    """A page of a scene's segments in story order; `next_after` asks for the following one."""

    scene_id: UUID
    revision: int
    playlist_epoch: int
    segment_count: int
    master_url: str | None
    items: tuple[SegmentOut, ...]
    next_after: int | None


def segment_out(segment: ListedSegment) -> SegmentOut:
    """The wire shape of a segment."""
    base = f"/media/{paths.segment_prefix(segment.scene_id, segment.id)}"
    return SegmentOut(
        id=segment.id,
        number=segment.number,
        text=segment.text,
        seconds=segment.seconds,
        bible_version=segment.bible_version,
        job_id=segment.job_id,
        created_at=segment.created_at,
        master_url=f"{base}master.m3u8",
        thumbnail_url=f"/media/{paths.thumbnail_key(segment.scene_id, segment.id)}",
        sprites_url=f"{base}{SPRITES_INDEX}" if segment.has_sprites else None,
        summary=segment.summary.summary,
        writer=segment.script.writer,
        notice=segment.script.notice,
        filmed=segment.filmed,
        shots=tuple(_shot_out(shot) for shot in segment.script.shots),
    )


def _shot_out(shot: Shot) -> ShotOut:
    return ShotOut(
        seconds=shot.seconds,
        camera=shot.camera,
        characters=shot.characters,
        place=shot.place,
        narration=shot.narration,
    )


# Operations


def page_segments(
    services: Services, scene_id: UUID, after: int, limit: int, known_tags: tuple[str, ...] = ()
) -> tuple[str, ScenePlaylist | None]:
    """The page's tag, and the page itself unless its tag is known already."""
    with services.database.read() as c:
        scene = scene_rows.get_scene(c, scene_id)
        tag = strong_tag("page", scene_id, scene.revision, after, limit)
        if tag in known_tags:
            return tag, None
        found = segment_rows.list_segments(c, scene_id, limit=limit + 1, after_number=after)
    count = scene.next_number - 1
    items = tuple(segment_out(segment) for segment in found[:limit])
    more = len(found) > limit
    return tag, ScenePlaylist(
        scene_id=scene_id,
        revision=scene.revision,
        playlist_epoch=scene.playlist_epoch,
        segment_count=count,
        master_url=f"/v1/scenes/{scene_id}/master.m3u8" if count else None,
        items=items,
        next_after=items[-1].number if more else None,
    )


def _look(services: Services, scene_id: UUID, revision: int | None) -> Scene:
    with services.database.read() as c:
        scene = scene_rows.get_scene(c, scene_id)
    count = scene.next_number - 1
    if revision is not None and revision > count:
        raise NotFound(f"Scene {scene_id} has {count} segments; rev={revision} is not there yet.")
    return scene


def _check_epoch(scene: Scene, epoch: int) -> None:
    if epoch < scene.playlist_epoch:
        raise Gone(
            f"Playlist epoch {epoch} of scene {scene.id} has ended (a segment was taken away); "
            "load master.m3u8 again."
        )
    if epoch > scene.playlist_epoch:
        raise NotFound(f"Scene {scene.id} has no playlist epoch {epoch} yet.")


# Routes

Revision = Annotated[int | None, Query(alias="rev", ge=1, le=_MAX_NUMBER)]


@router.get("/playlist", response_model=ScenePlaylist)
def playlist(
    services: Use,
    scene_id: UUID,
    request: Request,
    response: Response,
    after: Annotated[int, Query(ge=0, le=_MAX_NUMBER)] = 0,
    limit: Limit = 50,
) -> object:
    """A page of the scene's segments as JSON."""
    header = request.headers.get("if-none-match", "")
    known = tuple(one.strip().removeprefix("W/") for one in header.split(","))
    tag, page = page_segments(services, scene_id, after, limit, known)
    if page is None:
        return unchanged(tag)
    response.headers["ETag"] = tag
    return page


@router.get("/master.m3u8")
@router.head("/master.m3u8", include_in_schema=False)
def master(services: Use, scene_id: UUID, request: Request, rev: Revision = None) -> Response:
    """The whole scene's master playlist; 404 until there is a segment to play."""
    scene = _look(services, scene_id, rev)
    tag = _tag(scene, "master", rev)
    if matches(request, tag):
        return unchanged(tag)
    text = services.playlists.master(scene, rev)
    return Response(text, media_type=PLAYLIST_TYPE, headers={"ETag": tag})


@router.get("/p{epoch}/{rung}.m3u8")
@router.head("/p{epoch}/{rung}.m3u8", include_in_schema=False)
def rung_playlist(
    services: Use,
    scene_id: UUID,
    epoch: Annotated[int, Path(ge=1, le=_MAX_NUMBER)],
    rung: str,
    request: Request,
    rev: Revision = None,
) -> Response:
    """One rung: EVENT while the scene is open; with `rev` the finished VOD of its beginning."""
    scene = _look(services, scene_id, rev)
    _check_epoch(scene, epoch)
    gzipped = accepts_gzip(request)
    plain_tag = _tag(scene, rung, rev)
    tag = gzip_tag(plain_tag) if gzipped else plain_tag
    if matches(request, tag):
        answer = unchanged(tag)
        answer.headers["Vary"] = "Accept-Encoding"
        return answer
    body = services.playlists.rung(scene, rung, rev, gzipped=gzipped)
    headers = {"ETag": tag, "Vary": "Accept-Encoding"}
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=PLAYLIST_TYPE, headers=headers)


def _tag(scene: Scene, name: str, revision: int | None) -> str:
    shown = f"all{scene.next_number - 1}" if revision is None else f"rev{revision}"
    return strong_tag(scene.id, scene.playlist_epoch, name, shown)
