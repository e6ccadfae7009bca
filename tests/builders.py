"""Builders of small valid things, so that a test says only what it is about."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

from storyforge import clock
from storyforge.database import leases, scenes
from storyforge.database.accept import Accepted, IdempotencyKey, NewJob, accept_job
from storyforge.database.engine import Database
from storyforge.database.finalize import Outcome, finalize_job
from storyforge.database.leases import Claim
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_record import (
    ClipFigures,
    FilmRecord,
    JoinKind,
    JoinRecord,
    ShotFilm,
    StartPicture,
    told_line,
)
from storyforge.domain.job import JobConfig, JobKind, Lane
from storyforge.domain.scene import Scene
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

PROFILE = HlsProfile(fps=24, rungs=(Rung(name="180p", width=320, height=180),))


def new_scene(database: Database, bible: SceneBible | None = None, title: str = "A tale") -> Scene:
    return database.write(
        lambda c: scenes.create_scene(
            c, scene_id=uuid7(), title=title, bible=bible or SceneBible(), now=clock.utc_now()
        )
    )


def accept(
    database: Database,
    scene_id: UUID,
    *,
    text: str = "The fox waits.",
    key: IdempotencyKey | None = None,
    kind: JobKind = JobKind.CONTINUE,
    bible_version: int | None = None,
    after_job_id: UUID | None = None,
    max_open: int = 10_000,
    hold: bool = False,
    seconds: float = 2.0,
    voice: str = "",
) -> Accepted:
    new = NewJob(
        id=uuid7(),
        scene_id=scene_id,
        kind=kind,
        text=text,
        config=JobConfig(target_duration=seconds, voice_preset=voice),
        bible_version=bible_version,
        after_job_id=after_job_id,
        hold=hold,
    )
    return database.write(
        lambda c: accept_job(
            c, new, database.clock, now=clock.utc_now(), idempotency=key, max_open=max_open
        )
    )


def claim(
    database: Database,
    lane: Lane = Lane.WRITE,
    *,
    worker: str = "w1",
    lease_s: float = 30.0,
    fenced: bool = True,
) -> Claim | None:
    return database.write(
        lambda c: leases.claim_next(
            c, database.clock, lane, worker, lease_s=lease_s, fenced=fenced, now=clock.utc_now()
        )
    )


def script(text: str = "The fox waits.", seconds: float = 2.0) -> Script:
    return Script(shots=(Shot(prompt=text, narration=text, seconds=seconds),), writer="test/1")


def media(seconds: float = 2.0, profile: HlsProfile = PROFILE) -> EncodedSegment:
    rungs = tuple(
        RungMedia(
            rung=rung,
            codecs="avc1.640028,mp4a.40.2",
            bandwidth=400_000,
            average_bandwidth=300_000,
            parts=(Part(uri=f"{rung.name}_0001.ts", seconds=seconds, bytes=1000),),
        )
        for rung in profile.rungs
    )
    files = (MediaFile(path="thumbnail.jpg", bytes=10, sha256="0" * 64, content_type="image/jpeg"),)
    return EncodedSegment(
        profile=profile,
        frames=int(seconds * profile.fps),
        seconds=seconds,
        rungs=rungs,
        files=files,
    )


def film_record() -> FilmRecord:
    """A record of one shot."""
    shot = ShotFilm(
        shot=1,
        take=1,
        seed=7,
        picture=StartPicture(),
        figures=ClipFigures(
            frames=48, brightness=90, black_share=0, motion=2, structure=0.4, steadiness=0.9
        ),
        join=JoinRecord(kind=JoinKind.OPENING),
        recipe={"model": "test-camera"},
    )
    return FilmRecord(
        model="test-camera", line=told_line("test-camera", (shot,), ()), shots=(shot,)
    )


def outcome(bible: SceneBible | None = None, text: str = "The fox waits.") -> Outcome:
    segment_id = uuid7()
    return Outcome(
        segment_id=segment_id,
        text=text,
        script=script(text),
        continuity=ValidationResult(valid=True),
        bible=bible or SceneBible(synopsis=text),
        summary=SegmentSummary(segment_id=segment_id, number=0, summary=text),
        long_summary="",
        media=media(),
        video_url="/media/x/master.m3u8",
        thumbnail_url="/media/x/thumbnail.jpg",
    )


def filmed(database: Database, scene_id: UUID, text: str = "The fox waits.") -> Claim:
    """One whole continuation through all lanes, without pictures."""
    accept(database, scene_id, text=text)
    return film_next(database, outcome(text=text))


def film_next(database: Database, result: Outcome) -> Claim:
    for lane, following in ((Lane.WRITE, Lane.FILM), (Lane.FILM, Lane.PUBLISH)):
        held = claim(database, lane)
        assert held is not None
        hand_on(database, held, following)
    last = claim(database, Lane.PUBLISH)
    assert last is not None
    database.write(lambda c: finalize_job(c, database.clock, last, result, now=clock.utc_now()))
    return last


def hand_on(database: Database, held: Claim, lane: Lane) -> None:
    database.write(lambda c: leases.hand_on(c, database.clock, held, lane, now=clock.utc_now()))


def race(*works: Callable[[], None]) -> None:
    """Run them at the same moment, each in its thread, and wait for all."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
