"""Films that are being made: what of them can be watched, and which of their files are left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from storyforge.database import jobs as job_rows
from storyforge.database.engine import upsert
from storyforge.database.leases import Claim, LeaseLost
from storyforge.database.tables import jobs, live_films, segments, stage_results
from storyforge.domain.job import ENDED, Job, Stage
from storyforge.domain.segment import LiveFilm

# What a retried job would take for saved once its files are collected.
_GONE_WITH_THE_FILES = (Stage.ENCODE_HLS, Stage.PUBLISH_SEGMENT)


@dataclass(frozen=True)
class Leftover:
    """The files of one encode of a job that has ended."""

    scene_id: UUID
    segment_id: UUID
    job_id: UUID


def note_film(
    c: Connection, claim: Claim, film: LiveFilm, url: str, *, now: datetime
) -> Job | None:
    """Say what of the film is in the store; gives the job when readers now learn its address.

    Raises LeaseLost.
    """
    row = c.execute(select(jobs.c.live_url).where(claim.holds()).with_for_update()).one_or_none()
    if row is None:
        raise LeaseLost
    upsert(
        c,
        live_films,
        segment_id=film.segment_id,
        job_id=claim.job_id,
        visible=film.visible,
        body=film.to_json(),
    )
    if not film.visible or row.live_url == url:
        return None
    c.execute(
        update(jobs).where(claim.holds()).values(live_url=url, seq=jobs.c.seq + 1, updated_at=now)
    )
    return job_rows.get_job(c, claim.job_id)


def newest_film(c: Connection, job_id: UUID) -> LiveFilm | None:
    """What can be watched of the job's latest encode; None while there is nothing to see."""
    query = (
        select(live_films.c.body)
        .where(live_films.c.job_id == job_id, live_films.c.visible)
        .order_by(live_films.c.segment_id.desc())
        .limit(1)
    )
    body = c.execute(query).scalar_one_or_none()
    return None if body is None else LiveFilm.model_validate(body)


def leftovers(c: Connection, *, before: datetime, limit: int) -> Sequence[Leftover]:
    """Encodes of jobs that ended before that moment, oldest first."""
    query = (
        select(live_films.c.segment_id, live_films.c.job_id, jobs.c.scene_id)
        .join(jobs, jobs.c.id == live_films.c.job_id)
        .where(jobs.c.state.in_(sorted(ENDED)), jobs.c.updated_at < before)
        .order_by(live_films.c.segment_id)
        .limit(limit)
    )
    return [Leftover(row.scene_id, row.segment_id, row.job_id) for row in c.execute(query)]


def give_up(c: Connection, leftover: Leftover) -> bool:
    """Whether its files may go, decided under the job's lock; a retry then makes them anew.

    False when they are a segment's (then nothing is left over), or the job lives again.
    """
    row = job_rows.lock_job(c, leftover.job_id)
    if row.state not in ENDED:
        return False
    if _is_segment(c, leftover):
        forget(c, leftover.segment_id)
        return False
    saved: Any = c.execute(
        select(stage_results.c.body).where(
            stage_results.c.job_id == leftover.job_id, stage_results.c.stage == Stage.ENCODE_HLS
        )
    ).scalar_one_or_none()
    if saved is not None and saved["segmentId"] == str(leftover.segment_id):
        c.execute(
            delete(stage_results).where(
                stage_results.c.job_id == leftover.job_id,
                stage_results.c.stage.in_(_GONE_WITH_THE_FILES),
            )
        )
    return True


def forget(c: Connection, segment_id: UUID) -> None:
    """Drop the row: nothing of it is left over any more."""
    c.execute(delete(live_films).where(live_films.c.segment_id == segment_id))


def _is_segment(c: Connection, leftover: Leftover) -> bool:
    query = select(segments.c.id).where(
        segments.c.scene_id == leftover.scene_id, segments.c.id == leftover.segment_id
    )
    return c.execute(query).one_or_none() is not None
