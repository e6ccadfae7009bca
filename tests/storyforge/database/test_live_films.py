"""Films in the making: shown under the fence, and collected when nothing came of them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from scheduler.leftovers import Collector
from storyforge import clock
from storyforge.database import jobs, live_films, stage_results
from storyforge.database.engine import Database
from storyforge.database.finalize import finalize_job
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.job import Job, JobState, JobStatus, Lane, Stage
from storyforge.domain.segment import LiveFilm, Part, RungMedia
from storyforge.errors import StoreUnreachable
from storyforge.ids import uuid7
from storyforge.storage.memory import MemoryStore
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket
from tests.builders import PROFILE, accept, claim, hand_on, new_scene, outcome

URL = "/v1/jobs/x/master.m3u8"


def filming(database: Database) -> Claim:
    """A job that a film worker holds."""
    accept(database, new_scene(database).id)
    held = claim(database)
    assert held is not None
    hand_on(database, held, Lane.FILM)
    held = claim(database, Lane.FILM)
    assert held is not None
    return held


def live(held: Claim, parts: int, segment_id: UUID | None = None) -> LiveFilm:
    rungs = tuple(
        RungMedia(
            rung=rung,
            codecs="avc1.640028,mp4a.40.2",
            bandwidth=1,
            average_bandwidth=1,
            parts=tuple(
                Part(uri=f"{rung.name}_{n:04d}.ts", seconds=2.0, bytes=1) for n in range(parts)
            ),
        )
        for rung in PROFILE.rungs
    )
    return LiveFilm(
        scene_id=held.scene_id, segment_id=segment_id or uuid7(), profile=PROFILE, rungs=rungs
    )


def note(database: Database, held: Claim, film: LiveFilm) -> Job | None:
    return database.write(lambda c: live_films.note_film(c, held, film, URL, now=clock.utc_now()))


def newest(database: Database, job_id: UUID) -> LiveFilm | None:
    with database.read() as c:
        return live_films.newest_film(c, job_id)


def stored(store: MemoryStore, film: LiveFilm) -> str:
    key = segment_prefix(film.scene_id, film.segment_id) + "180p_0001.ts"
    store.put_bytes(Bucket.VIDEOS, key, b"part", content_type="video/mp2t")
    return key


def end(database: Database, job_id: UUID, state: JobState = JobState.DEAD) -> None:
    status = JobStatus.FAILED if state is JobState.DEAD else JobStatus.CANCELLED
    database.write(
        lambda c: jobs.end_job(
            c, jobs.lock_job(c, job_id), state, status, "Ended.", now=clock.utc_now()
        )
    )


def test_readers_learn_the_address_with_the_first_part_and_only_once(database: Database) -> None:
    held = filming(database)
    film = live(held, 0)
    assert note(database, held, film) is None
    assert newest(database, held.job_id) is None
    told = note(database, held, live(held, 1, film.segment_id))
    assert told is not None
    assert told.live_url == URL
    grown = live(held, 2, film.segment_id)
    assert note(database, held, grown) is None
    assert newest(database, held.job_id) == grown


def test_a_worker_without_the_lease_shows_nothing(database: Database) -> None:
    held = filming(database)
    end(database, held.job_id)
    with pytest.raises(LeaseLost):
        note(database, held, live(held, 1))
    assert newest(database, held.job_id) is None


def test_a_new_take_is_shown_once_it_has_a_part(database: Database) -> None:
    held = filming(database)
    note(database, held, first := live(held, 2))
    note(database, held, second := live(held, 0))
    assert newest(database, held.job_id) == first
    note(database, held, second := live(held, 1, second.segment_id))
    assert newest(database, held.job_id) == second


def test_a_job_that_ends_without_a_film_has_no_address(database: Database) -> None:
    held = filming(database)
    note(database, held, live(held, 1))
    end(database, held.job_id)
    with database.read() as c:
        assert jobs.get_job(c, held.job_id).live_url is None


@pytest.mark.parametrize("state", [JobState.DEAD, JobState.CANCELLED])
def test_what_is_left_of_an_ended_job_is_collected_after_the_grace(
    database: Database, state: JobState
) -> None:
    held, store = filming(database), MemoryStore()
    takes = [live(held, 1), live(held, 2)]
    keys = [stored(store, film) for film in takes]
    for film in takes:
        note(database, held, film)
    assert Collector(database, store, grace_s=0.0).collect() == 0, "it is still being filmed"
    end(database, held.job_id, state)
    assert Collector(database, store, grace_s=60.0).collect() == 0
    assert all(store.head(Bucket.VIDEOS, key) for key in keys)
    assert Collector(database, store, grace_s=0.0).collect() == 2
    assert list(store.list(Bucket.VIDEOS)) == []
    assert Collector(database, store, grace_s=0.0).collect() == 0


def test_of_a_done_job_only_the_takes_that_are_no_segment_go(database: Database) -> None:
    held, store = filming(database), MemoryStore()
    made = outcome()
    note(database, held, spoilt := live(held, 1))
    note(database, held, taken := live(held, 1, made.segment_id))
    stored(store, spoilt)
    kept = stored(store, taken)
    hand_on(database, held, Lane.PUBLISH)
    last = claim(database, Lane.PUBLISH)
    assert last is not None
    database.write(lambda c: finalize_job(c, database.clock, last, made, now=clock.utc_now()))
    Collector(database, store, grace_s=0.0).collect()
    assert [one.key for one in store.list(Bucket.VIDEOS)] == [kept]
    with database.read() as c:
        soon = clock.utc_now() + timedelta(seconds=1)
        assert live_films.leftovers(c, before=soon, limit=9) == []


def test_a_retry_after_collecting_encodes_anew(database: Database) -> None:
    held = filming(database)
    note(database, held, film := live(held, 1))
    database.write(
        lambda c: stage_results.save_result(
            c,
            held,
            stage=Stage.ENCODE_HLS,
            item=0,
            input_hash="h",
            body={"segmentId": str(film.segment_id)},
            now=clock.utc_now(),
        )
    )
    end(database, held.job_id)
    Collector(database, MemoryStore(), grace_s=0.0).collect()
    with database.read() as c:
        found = stage_results.load_result(
            c, held.job_id, stage=Stage.ENCODE_HLS, item=0, input_hash=None
        )
    assert found is None


def test_a_job_that_was_retried_meanwhile_keeps_its_files(database: Database) -> None:
    held, store = filming(database), MemoryStore()
    note(database, held, film := live(held, 1))
    key = stored(store, film)
    end(database, held.job_id)
    with database.read() as c:
        found = live_films.leftovers(c, before=clock.utc_now() + timedelta(seconds=1), limit=9)
    database.write(lambda c: jobs.retry_job(c, held.job_id, database.clock, now=clock.utc_now()))
    assert not database.write(lambda c: live_films.give_up(c, found[0]))
    assert store.head(Bucket.VIDEOS, key) is not None


def test_files_that_cannot_be_deleted_now_are_deleted_next_time(database: Database) -> None:
    held, store = filming(database), MemoryStore()
    note(database, held, film := live(held, 1))
    key = stored(store, film)
    end(database, held.job_id)

    class Away(MemoryStore):
        def list(self, bucket: Bucket, prefix: str = "") -> object:  # type: ignore[override]
            raise StoreUnreachable("Away.", retry_after_s=1)

    Collector(database, Away(), grace_s=0.0).collect()
    assert Collector(database, store, grace_s=0.0).collect() == 1
    assert store.head(Bucket.VIDEOS, key) is None
