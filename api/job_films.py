"""The film of one job while it is being made, and at the same address once it is done."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from api.etags import matches, strong_tag, unchanged
from api.services import Services, Use
from storyforge.database import jobs as job_rows
from storyforge.database import live_films
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.domain.job import ENDED, Job
from storyforge.domain.segment import LiveFilm, RungMedia
from storyforge.errors import Gone, NotFound
from storyforge.playlists import PLAYLIST_TYPE, live_master, live_rung_playlist
from storyforge.storage import paths

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["playback"])
# From /v1/jobs/{id}/live/{segment}/ up to the root: relative, as in the scenes' playlists.
_ROOT = "../../../../../"

# Operations


def film_of(services: Services, job_id: UUID) -> LiveFilm:
    """What can be watched of the job's film: of its latest encode, or of the finished segment.

    Raises NotFound while there is nothing, Gone when the job ended without a film.
    """
    with services.database.read() as c:
        job = job_rows.get_job(c, job_id)
        film = _finished(c, job) if job.state in ENDED else live_films.newest_film(c, job_id)
    if film is None:
        raise NotFound(f"Job {job_id} has no film to watch yet; ask again when it has a liveUrl.")
    return film


def _finished(c: Connection, job: Job) -> LiveFilm:
    scene_rows.get_scene(c, job.scene_id)  # a deleted scene shows nothing
    media = None
    if job.result is not None:
        media = segment_rows.segment_media(c, job.scene_id, job.result.segment_id)
    if job.result is None or media is None:
        raise Gone(f"The film of job {job.id} is gone: the job is {job.status}.")
    return LiveFilm(
        scene_id=job.scene_id,
        segment_id=job.result.segment_id,
        profile=media.profile,
        rungs=media.rungs,
        ended=True,
    )


def _rung(film: LiveFilm, name: str) -> RungMedia:
    for media in film.rungs:
        if media.rung.name == name:
            return media
    known = ", ".join(media.rung.name for media in film.rungs)
    raise NotFound(f"This film has no rung '{name[:40]}'; it has {known}.")


# Routes


@router.get("/master.m3u8")
@router.head("/master.m3u8", include_in_schema=False)
def master(services: Use, job_id: UUID, request: Request) -> Response:
    """The master playlist of the job's film; 404 before its first parts, 410 if none came of it."""
    film = film_of(services, job_id)
    text = live_master(film, lambda rung: f"live/{film.segment_id}/{rung.name}.m3u8")
    return _playlist(request, text, strong_tag(film.segment_id, "live", film.ended))


@router.get("/live/{segment_id}/{rung}.m3u8")
@router.head("/live/{segment_id}/{rung}.m3u8", include_in_schema=False)
def rung_playlist(
    services: Use, job_id: UUID, segment_id: UUID, rung: str, request: Request
) -> Response:
    """One rung: EVENT, closed when all is encoded; 410 once the film was begun anew."""
    film = film_of(services, job_id)
    if segment_id != film.segment_id:
        raise Gone(f"Job {job_id} was filmed anew; load its master.m3u8 again.")
    media = _rung(film, rung)
    prefix = f"{_ROOT}media/{paths.segment_prefix(film.scene_id, film.segment_id)}"
    text = live_rung_playlist(film, media, prefix)
    tag = strong_tag(film.segment_id, rung, len(media.parts), film.ended)
    return _playlist(request, text, tag)


@router.get("/thumbnail.jpg")
@router.head("/thumbnail.jpg", include_in_schema=False)
def thumbnail(services: Use, job_id: UUID) -> Response:
    """A still of the film so far."""
    film = film_of(services, job_id)
    key = paths.poster_key(film.scene_id, film.segment_id)
    return RedirectResponse(f"../../../media/{key}", headers={"Cache-Control": "no-cache"})


def _playlist(request: Request, text: str, tag: str) -> Response:
    if matches(request, tag):
        return unchanged(tag)
    return Response(text, media_type=PLAYLIST_TYPE, headers={"ETag": tag})
