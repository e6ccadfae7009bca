"""Writes scenes of any length straight into the tables, as finishing so many jobs would.

One job is accepted, claimed and finalised by the product's own code; its rows are the pattern
of all the others, with ids, numbers and versions of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, insert, select, text, update

from scheduler.payloads import payload_of
from storyforge import clock
from storyforge.database import scenes as scene_rows
from storyforge.database.engine import Database
from storyforge.database.finalize import Outcome, finalize_job
from storyforge.database.leases import claim_of
from storyforge.database.tables import jobs, scene_bibles, scene_heads, segments
from storyforge.domain.bible import Character, Place, SceneBible
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.job import JobState, Lane
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import (
    EncodedSegment,
    HlsProfile,
    MediaFile,
    Part,
    Rung,
    RungMedia,
    SegmentSummary,
)
from storyforge.ids import uuid7
from tests.builders import accept

PARTS = 4
SECONDS = 8.0
TEXT = (
    "The fox waits by the frozen river until the moon is up. Then she crosses, slowly, while the "
    "ice sings under her paws, and on the far bank an old owl calls her name."
)
_RUNGS = (
    Rung(name="720p", width=1280, height=720),
    Rung(name="480p", width=854, height=480),
    Rung(name="360p", width=640, height=360),
)
_AT_ONCE = 500
_APART = timedelta(minutes=3)  # 10,000 of them lie within the partitions that a node begins with
_Row = dict[str, Any]


@dataclass(frozen=True)
class Filled:
    """A scene with its last job, for `afterJobId`."""

    id: UUID
    count: int
    last_job_id: UUID


def outcome(scene_id: UUID, number: int) -> Outcome:
    """What a job adds: three rungs of four parts, nineteen files, four shots."""
    segment_id = uuid7()
    base = f"/media/videos/{scene_id}/{segment_id}"
    shots = tuple(
        Shot(
            prompt=f"{TEXT} Shot {n}, wide, slow push in, moonlight, ink and paper.",
            characters=("Fox", "Owl"),
            place="River",
            narration=TEXT[40 * n : 40 * n + 40],
            seconds=SECONDS / 4,
        )
        for n in range(4)
    )
    return Outcome(
        segment_id=segment_id,
        text=TEXT,
        script=Script(shots=shots, writer="rules/1", notice="Written by rules."),
        continuity=ValidationResult(valid=True),
        bible=_bible(),
        summary=SegmentSummary(
            segment_id=segment_id,
            number=number,
            summary=TEXT,
            characters=("Fox", "Owl"),
            place="River",
            seconds=SECONDS,
        ),
        long_summary=" ".join([TEXT] * 6),
        media=_media(),
        video_url=f"{base}/master.m3u8",
        thumbnail_url=f"{base}/thumbnail.jpg",
    )


def fill(database: Database, count: int) -> Filled:
    """A new scene with `count` finished segments."""
    scene_id = uuid7()
    database.write(
        lambda c: scene_rows.create_scene(
            c, scene_id=scene_id, title=f"{count} segments", bible=_bible(), now=clock.utc_now()
        )
    )
    return Filled(scene_id, count, _fill(database, scene_id, count))


def finish(database: Database, job_id: UUID) -> None:
    """End a queued job as its lanes would: one finalising transaction."""
    database.write(lambda c: _finish(c, database, job_id))


def analyze(database: Database) -> None:
    """Statistics, as a PostgreSQL that has lived with these rows would have them."""
    if not database.is_sqlite:
        database.write(lambda c: c.execute(text("ANALYZE")))


def _fill(database: Database, scene_id: UUID, count: int) -> UUID:
    job_id = accept(database, scene_id, text=TEXT).job.id
    database.write(lambda c: _finish(c, database, job_id))
    patterns = database.write(lambda c: {table: _only(c, table, job_id) for table in _KEYS})
    last = job_id
    for start in range(2, count + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count + 1))
        rows = [_copies(patterns, number, count) for number in numbers]
        database.write(lambda c, rows=rows: _insert(c, rows))  # type: ignore[misc]
        last = rows[-1][jobs]["id"]
    database.write(
        lambda c: c.execute(
            update(scene_heads)
            .where(scene_heads.c.scene_id == scene_id)
            .values(bible_version=count + 1, next_number=count + 1, revision=2 * count + 1)
        )
    )
    return last


_KEYS = {jobs: jobs.c.id, segments: segments.c.job_id, scene_bibles: scene_bibles.c.job_id}


def _finish(c: Connection, database: Database, job_id: UUID) -> None:
    row = c.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(state=JobState.LEASED, lane=Lane.PUBLISH, epoch=jobs.c.epoch + 1, worker="bench")
        .returning(jobs)
    ).one()
    claim = claim_of(row, fenced=True)
    payload = payload_of(c, claim, row)
    made = outcome(row.scene_id, payload.segment_number)
    finalize_job(c, database.clock, claim, made, now=clock.utc_now())


def _only(c: Connection, table: Table, job_id: UUID) -> _Row:
    return c.execute(select(table).where(_KEYS[table] == job_id)).one()._asdict()


def _copies(patterns: Mapping[Table, _Row], number: int, count: int) -> dict[Table, _Row]:
    """The rows of segment `number`, which moves the bible from version `number` to the next."""
    made_at = patterns[jobs]["created_at"] - (count - number + 1) * _APART
    job_id, segment_id = uuid7(made_at), uuid7(made_at)
    job, segment, bible = (dict(patterns[table]) for table in (jobs, segments, scene_bibles))
    job |= {"id": job_id, "bible_version": number, "created_at": made_at, "updated_at": made_at}
    job["payload"] = {**job["payload"], "jobId": str(job_id), "segmentNumber": number}
    job["result"] = {
        **job["result"],
        "segmentId": str(segment_id),
        "updatedBibleVersion": number + 1,
    }
    segment |= {
        "id": segment_id,
        "number": number,
        "job_id": job_id,
        "base_version": number,
        "bible_version": number + 1,
    }
    segment["summary"] = {**segment["summary"], "segmentId": str(segment_id), "number": number}
    bible |= {"version": number + 1, "job_id": job_id, "parent_hash": bible["content_hash"]}
    bible["body"] = {**bible["body"], "version": number + 1}
    return {jobs: job, segments: segment, scene_bibles: bible}


def _insert(c: Connection, rows: Sequence[Mapping[Table, _Row]]) -> None:
    for table in _KEYS:
        c.execute(insert(table), [row[table] for row in rows])


def _bible() -> SceneBible:
    return SceneBible(
        title="The fox",
        synopsis=TEXT,
        characters=(
            Character(id="fox", name="Fox", traits=("patient", "proud"), appearance="red, thin"),
            Character(id="owl", name="Owl", traits=("old",), appearance="grey, one eye"),
        ),
        places=(Place(id="river", name="River", facts=("It is frozen.",)),),
    )


def _media() -> EncodedSegment:
    profile = HlsProfile(fps=24, rungs=_RUNGS)
    rungs = tuple(
        RungMedia(
            rung=rung,
            codecs="avc1.64001f,mp4a.40.2",
            bandwidth=900_000,
            average_bandwidth=700_000,
            parts=tuple(
                Part(uri=f"{rung.name}_{n:04d}.ts", seconds=SECONDS / PARTS, bytes=180_000 + n)
                for n in range(1, PARTS + 1)
            ),
        )
        for rung in _RUNGS
    )
    return EncodedSegment(
        profile=profile,
        frames=int(SECONDS * profile.fps),
        seconds=SECONDS,
        rungs=rungs,
        files=tuple(_files(rungs)),
    )


def _files(rungs: Sequence[RungMedia]) -> Iterator[MediaFile]:
    parts = [part.uri for rung in rungs for part in rung.parts]
    lists = ["master.m3u8", *(f"{rung.rung.name}.m3u8" for rung in rungs)]
    for path in (*parts, *lists, "thumbnail.jpg", "sprites.jpg", "sprites.vtt"):
        yield MediaFile(path=path, bytes=1000, sha256="0" * 64, content_type="video/mp2t")
