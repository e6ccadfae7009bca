"""A real S3 server that fails while a job is being published (guarantees F47-F54)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database
from storyforge.database.tables import jobs
from storyforge.domain.job import Job, JobState, Stage
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.settings import StoreSettings
from storyforge.storage.paths import scene_prefix
from storyforge.storage.store import Bucket
from tests.builders import accept, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.chaos.playback import playlists_play
from tests.journeys.stage_points import check_node
from tests.scheduler.rig import FILM, PUBLISH, SHOTS, WRITE, Rig
from tests.servers.ceph_rgw import CephRgw
from tests.servers.faulty_s3_proxy import (
    Action,
    Corrupt,
    DropReply,
    Fail,
    FaultyS3Proxy,
    Reset,
    Rule,
    Stall,
)
from tests.servers.fixtures import OpenS3
from tests.servers.nodes import SQLITE_ONLY, StartNode

pytestmark = pytest.mark.s3
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SEGMENT_FILES = "/videos/"


@pytest.fixture
def rig(
    database: Database, tmp_path: Path, open_s3: OpenS3, proxied_s3_settings: StoreSettings
) -> Rig:
    """A node in one process whose store is behind the failing proxy."""
    return Rig(database, tmp_path / "work", store=open_s3(proxied_s3_settings))


def _filmed(rig: Rig) -> UUID:
    """A job that only has to be published."""
    job_id = accept(rig.database, new_scene(rig.database).id).job.id
    rig.drain(WRITE, FILM)
    assert rig.job(job_id).lane is PUBLISH
    return job_id


def _retry(rig: Rig, job_id: UUID) -> Job:
    return rig.database.write(
        lambda c: job_rows.retry_job(c, job_id, rig.database.clock, now=clock.utc_now())
    )


def _is_sound(rig: Rig) -> bool:
    evidence = gather(rig.database)
    verdict = judge(
        evidence,
        list(evidence.jobs),
        attempts_allowed={"": 12},
        unread=NO_WAKE_UPS,
        playback=list(playlists_play(evidence, rig.store)),
    )
    assert verdict.violations == ()
    return True


PASSING: dict[str, list[Callable[[], Action]]] = {
    "F47 three failures": [
        lambda: Fail(500, "InternalError"),
        lambda: Fail(503, "SlowDown"),
        lambda: Fail(503, "ServiceUnavailable"),
    ],
    "F49 a stall": [lambda: Stall(30.0)],
    "F50 a lost reply": [DropReply],
    "F51 a reset": [Reset],
}


@ON_SQLITE
@pytest.mark.parametrize("kind", list(PASSING))
def test_what_passes_costs_the_job_no_attempt(rig: Rig, s3_proxy: FaultyS3Proxy, kind: str) -> None:
    job_id = _filmed(rig)
    s3_proxy.script = [Rule(make(), method="PUT", path="p_0001.ts") for make in PASSING[kind]]
    rig.drain(PUBLISH)
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.DONE, {})
    assert s3_proxy.script[-1].times == 0, "it happened"
    assert _is_sound(rig)


@ON_SQLITE
def test_f53_a_file_that_reads_back_wrong_is_sent_again(rig: Rig, s3_proxy: FaultyS3Proxy) -> None:
    job_id = _filmed(rig)
    wrong = Corrupt({"ETag": '"00000000000000000000000000000000"', "Content-Length": "3"})
    s3_proxy.script = [Rule(wrong, method="HEAD", path="p_0001.ts", skip=0)]
    rig.drain(PUBLISH)
    assert rig.job(job_id).state is JobState.DONE
    assert _is_sound(rig)


@ON_SQLITE
def test_f48_a_store_that_refuses_is_dead_at_once_and_says_what_to_check(
    rig: Rig, s3_proxy: FaultyS3Proxy
) -> None:
    job_id = _filmed(rig)
    s3_proxy.script = [Rule(Fail(403, "AccessDenied"), times=None)]
    rig.drain(PUBLISH)
    job = rig.job(job_id)
    assert job.state is JobState.DEAD
    assert job.error is not None
    assert (job.error.code, job.error.stage) == ("storage_denied", Stage.PUBLISH_SEGMENT)
    assert "STORYFORGE_STORE_ACCESS_KEY" in job.error.detail
    s3_proxy.script = []
    _retry(rig, job_id)
    assert rig.drain() == 1
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
    assert _is_sound(rig)


@ON_SQLITE
def test_a_store_that_is_away_is_waited_for(rig: Rig, s3_proxy: FaultyS3Proxy) -> None:
    job_id = _filmed(rig)
    s3_proxy.script = [Rule(Fail(503, "SlowDown"), times=None)]
    rig.drain(PUBLISH)
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, {"store_unreachable": 1})
    s3_proxy.script = []
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain(PUBLISH)
    assert rig.job(job_id).state is JobState.DONE
    assert _is_sound(rig)


@ON_SQLITE
@pytest.mark.parametrize("files", [1, 3, 99], ids=["first part", "some", "before the row"])
def test_f52_a_death_between_two_files_shows_nothing_and_keeps_the_keys(
    rig: Rig, files: int
) -> None:
    """The files so far are in the store, and nothing leads to them."""
    job_id = _filmed(rig)
    scene_id = rig.job(job_id).scene_id
    point = (
        f"publish_segment:p2:unavailable+{files}"
        if files < 99
        else "publish_segment:p3:unavailable"
    )
    rig.failpoints = Failpoints(parse_failpoints(point), rig.folder / "failpoints")
    rig.jobs = rig.jobs.model_copy(update={"backoff_s": 60.0})
    rig.drain(PUBLISH)
    assert rig.job(job_id).attempts == {"unavailable": 1}
    assert gather(rig.database).segments_of(scene_id) == ()
    stored = {one.key for one in rig.store.list(Bucket.VIDEOS, scene_prefix(scene_id))}
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain(PUBLISH)
    assert rig.job(job_id).state is JobState.DONE
    after = {one.key for one in rig.store.list(Bucket.VIDEOS, scene_prefix(scene_id))}
    assert stored <= after
    segments = {key.split("/")[2] for key in after if "/previews/" not in key}
    assert len(segments) == 1, "the second attempt used the keys of the first"
    assert _is_sound(rig)


@ON_SQLITE
def test_f54_a_full_store_keeps_the_film_until_there_is_room(
    rig: Rig, ceph_rgw: CephRgw, s3_settings: StoreSettings, open_s3: OpenS3
) -> None:
    """A real quota; then the operator gives room, retries, and nothing is filmed again."""
    poor = ceph_rgw.add_account("poor-publisher", max_bytes=4096)
    roomy = open_s3(s3_settings)
    bucket = "storyforge-poor"
    keys = {"access_key": poor.access_key, "secret_key": poor.secret_key, "attempts": 1}
    names = {
        f"{one}_bucket": f"{bucket}-{one}" for one in ("videos", "assets", "exports", "internal")
    }
    job_id = accept(rig.database, new_scene(rig.database).id).job.id
    rig.store = roomy
    rig.drain(WRITE, FILM)
    rig.store = open_s3(s3_settings.model_copy(update={**keys, **names}))
    rig.store.ensure_buckets()
    rig.drain(PUBLISH)
    error = rig.job(job_id).error
    assert error is not None
    assert error.code == "storage_full", error
    assert list(rig.job_folder(job_id).glob("hls-*/*.ts")), "the film is still on this host"
    rig.store = roomy
    _retry(rig, job_id)
    assert rig.drain() == 1
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
    assert _is_sound(rig)


@SQLITE_ONLY
def test_a_continuation_becomes_a_film_on_a_real_s3_server(
    start_node: StartNode, s3_settings: StoreSettings
) -> None:
    """The whole node against S3; its pool processes are killed once in between."""
    env = {
        "STORYFORGE_STORE_ENDPOINT_URL": s3_settings.endpoint_url,
        "STORYFORGE_STORE_ACCESS_KEY": s3_settings.access_key,
        "STORYFORGE_STORE_SECRET_KEY": s3_settings.secret_key,
        "FAILPOINT": "publish_segment:p2:kill+2,preview:p3:kill",
    }
    node = start_node(env)
    scene = new_scene(node.database).id
    first = node.submit(scene, seconds=2.0)
    second = node.submit(scene, seconds=2.0)
    jobs_made = node.wait_ended([first, second])
    assert {job.state for job in jobs_made.values()} == {JobState.DONE}
    assert sum(job.attempts.get("worker_lost", 0) for job in jobs_made.values()) == 2
    check_node(node)
    node.store.close()
