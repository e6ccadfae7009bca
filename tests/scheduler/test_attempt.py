"""One attempt under a database that forgets, restarts and deadlocks (guarantees F41-F45)."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, text, update

from scheduler.attempt import Attempt, HandBack
from storyforge import clock
from storyforge.database import failures
from storyforge.database.accept import IdempotencyKey, find_replay
from storyforge.database.engine import Database, open_database
from storyforge.database.leases import LeaseLost
from storyforge.database.tables import jobs, scene_heads
from storyforge.domain.job import JobState, Lane, Stage
from storyforge.errors import DatabaseUnreachable
from storyforge.events import RecordedEvents
from storyforge.failpoints import Failpoints
from storyforge.settings import DatabaseSettings
from tests.builders import accept, claim, new_scene, outcome
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.scheduler.rig import FILM, PUBLISH, SHOTS, WRITE, ForgetfulDatabase, Rig
from tests.servers.postgres import PostgresServer


@pytest.fixture
def forgetful(database: Database) -> ForgetfulDatabase:
    return ForgetfulDatabase(database.engine)


def _attempt(database: Database, lane: Lane = WRITE, **changes: object) -> Attempt:
    held = claim(database, lane)
    assert held is not None
    values = {
        "claim": held,
        "database": database,
        "events": RecordedEvents(),
        "failpoints": Failpoints(),
        "stopping": lambda: False,
        "patience_s": 10.0,
    }
    return Attempt(**{**values, **changes})  # type: ignore[arg-type]


def _sound(database: Database) -> bool:
    evidence = gather(database)
    verdict = judge(evidence, list(evidence.jobs), attempts_allowed={"": 12}, unread=NO_WAKE_UPS)
    assert verdict.violations == ()
    return True


class LosesReplies(Failpoints):
    """Loses the reply to the next commit whenever a point of this stage is passed."""

    def __init__(self, database: ForgetfulDatabase, stage: Stage, point: str) -> None:
        super().__init__()
        self._database, self._at, self.fired = database, (stage.value, point), 0

    def hit(self, stage: str, point: str, job: str = "") -> None:
        if (stage, point) == self._at and not self.fired:
            self.fired += 1
            self._database.lose = 1


@pytest.mark.parametrize("stage", [one for one in Stage if one is not Stage.FINALIZE_JOB])
def test_a_lost_reply_to_saving_a_result_changes_nothing(
    forgetful: ForgetfulDatabase, tmp_path: Path, stage: Stage
) -> None:
    """F43 at every save: the retry writes the same row again, nothing is made twice."""
    loses = LosesReplies(forgetful, stage, "p3")
    rig = Rig(forgetful, tmp_path, failpoints=loses)
    job_id = accept(forgetful, new_scene(forgetful).id).job.id
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts, job.epoch) == (JobState.DONE, {}, 3)
    assert (forgetful.lost, rig.camera.rendered) == (1, list(range(SHOTS)))
    assert _sound(forgetful)


def test_a_lost_reply_to_finalising_finds_its_own_segment(
    forgetful: ForgetfulDatabase, tmp_path: Path
) -> None:
    """F43 at the commit that matters most."""
    loses = LosesReplies(forgetful, Stage.FINALIZE_JOB, "p3")
    rig = Rig(forgetful, tmp_path, failpoints=loses)
    scene = new_scene(forgetful)
    first = accept(forgetful, scene.id).job.id
    second = accept(forgetful, scene.id).job.id
    assert rig.drain() == 3
    assert rig.job(first).state is JobState.DONE
    assert forgetful.lost == 1
    assert rig.wake_ups.lanes[-1] is WRITE, "the follower's lane is woken all the same"
    rig.drain()
    assert rig.job(second).state is JobState.DONE
    assert _sound(forgetful)


@pytest.mark.parametrize("lane", [WRITE, FILM])
def test_a_lost_reply_to_handing_on_runs_nothing_twice(
    forgetful: ForgetfulDatabase, tmp_path: Path, lane: Lane
) -> None:
    last = {WRITE: Stage.PREVIEW, FILM: Stage.ENCODE_HLS}[lane]
    rig = Rig(forgetful, tmp_path, failpoints=LosesReplies(forgetful, last, "p4"))
    job_id = accept(forgetful, new_scene(forgetful).id).job.id
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts, job.epoch) == (JobState.DONE, {}, 3)
    assert forgetful.lost == 1
    assert _sound(forgetful)


def test_a_lost_reply_to_claiming_is_a_lost_worker_and_no_more(
    forgetful: ForgetfulDatabase, tmp_path: Path
) -> None:
    rig = Rig(forgetful, tmp_path)
    job_id = accept(forgetful, new_scene(forgetful).id).job.id
    forgetful.lose = 1
    assert rig.drain(WRITE) == 0
    assert rig.job(job_id).state is JobState.LEASED
    forgetful.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    policy = failures.Retry("worker_lost", 3, 0.0, 0.0)
    forgetful.write(
        lambda c: failures.take_back(c, forgetful.clock, job_id, policy, now=clock.utc_now())
    )
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert _sound(forgetful)


def test_a_lost_reply_to_accepting_is_found_again_by_its_key(
    forgetful: ForgetfulDatabase,
) -> None:
    scene = new_scene(forgetful)
    key = IdempotencyKey("local", "k1", "hash")
    forgetful.lose = 1
    with pytest.raises(DatabaseUnreachable):
        accept(forgetful, scene.id, key=key)
    again = accept(forgetful, scene.id, key=key)
    assert again.replayed
    with forgetful.read() as c:
        found = find_replay(c, key)
    assert found == again.job
    assert len(gather(forgetful).jobs) == 1


def test_a_deadlock_is_tried_again_and_then_given_up(database: Database) -> None:
    """F44: bounded retries with jitter, then an error that says to try again."""
    from storyforge.database import engine  # noqa: PLC0415  the class is private

    tries = []

    def deadlock(_c: Connection) -> None:
        tries.append(1)
        raise engine._TryAgain

    with pytest.raises(DatabaseUnreachable):
        database.write(deadlock)
    assert len(tries) == 6
    tries.clear()

    def once(c: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise engine._TryAgain
        return int(c.execute(text("SELECT 7")).scalar_one())

    assert database.write(once) == 7


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_a_real_deadlock_costs_one_retry_and_loses_no_write(database: Database) -> None:
    """F44 for real: two transactions lock two scenes in opposite order."""
    one, two = new_scene(database).id, new_scene(database).id
    both_hold_one = threading.Barrier(2, timeout=20)
    tries = []

    def bump(first: UUID, second: UUID) -> None:
        waited: list[bool] = []

        def work(c: Connection) -> None:
            tries.append(first)
            for scene_id in (first, second):
                c.execute(
                    update(scene_heads)
                    .where(scene_heads.c.scene_id == scene_id)
                    .values(revision=scene_heads.c.revision + 1)
                )
                if not waited:
                    waited.append(True)
                    both_hold_one.wait()

        database.write(work)

    threads = [threading.Thread(target=bump, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3, "one of them was chosen as the victim, once"
    assert [head.revision for head in gather(database).heads.values()] == [3, 3]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_held_write_lock_is_waited_for(database: Database, database_url: str) -> None:
    """F45: somebody else writes for 3 s; nobody hears "database is locked"."""
    scene = new_scene(database)
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    done: list[float] = []

    def submit() -> None:
        accept(database, scene.id)
        done.append(time.monotonic())

    thread = threading.Thread(target=submit)
    started_s = time.monotonic()
    thread.start()
    with database.read() as c:  # readers do not even notice
        assert c.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0
    time.sleep(3.0)
    assert done == []
    holder.execute("ROLLBACK")
    holder.close()
    thread.join()
    assert done[0] - started_s >= 3.0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_lock_held_for_too_long_is_503_and_not_a_crash(database_url: str) -> None:
    impatient = open_database(database_url, DatabaseSettings(busy_timeout_s=0.2))
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnreachable):
        new_scene(impatient)
    holder.close()
    impatient.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("immediate", [False, True])
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_stage_outlasts_a_restart_of_the_database(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest, *, immediate: bool
) -> None:
    """F41: fast and immediate, in the middle of filming; no attempt is spent."""
    server: PostgresServer = request.getfixturevalue("postgres_server")

    class Restarts(Failpoints):
        fired = 0

        def hit(self, stage: str, point: str, job: str = "") -> None:
            if (stage, point) == ("encode_hls", "p3") and not self.fired:
                self.fired += 1
                server.stop(immediate=immediate)
                threading.Timer(1.0, server.start).start()

    rig = Rig(database, tmp_path, failpoints=Restarts())
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.DONE, {})
    assert _sound(database)


@pytest.mark.postgres
@pytest.mark.parametrize("point", ["p1", "p3", "p4"])
@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_ended_connections_cost_nothing(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest, stage: Stage, point: str
) -> None:
    """F42: every backend is terminated between the result and its row, or before, or after."""
    server: PostgresServer = request.getfixturevalue("postgres_server")

    class Terminates(Failpoints):
        fired = 0

        def hit(self, at: str, here: str, job: str = "") -> None:
            if (at, here) == (stage.value, point) and not self.fired:
                self.fired += 1
                server.terminate_clients()

    failpoints = Terminates()
    rig = Rig(database, tmp_path, failpoints=failpoints)
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain()
    job = rig.job(job_id)
    assert failpoints.fired == 1
    assert (job.state, job.attempts) == (JobState.DONE, {})
    assert _sound(database)


def test_an_attempt_that_lost_its_lease_stops_at_the_next_step(database: Database) -> None:
    accept(database, new_scene(database).id)
    attempt = _attempt(database)
    attempt.lost.set()
    with pytest.raises(LeaseLost):
        attempt.step(Stage.EXPAND_SCRIPT, 0.5, "x")
    with pytest.raises(LeaseLost):
        attempt.save(Stage.EXPAND_SCRIPT, 0, "h", {})


def test_an_attempt_of_a_stopping_worker_gives_its_job_back(database: Database) -> None:
    accept(database, new_scene(database).id)
    attempt = _attempt(database, stopping=lambda: True)
    with pytest.raises(HandBack):
        attempt.step(Stage.EXPAND_SCRIPT, 0.5, "x")


def test_finalising_on_a_head_that_moved_is_refused(database: Database, tmp_path: Path) -> None:
    """F73: the compare-and-swap on the scene's head, should the fence ever fail us."""
    from storyforge.errors import Conflict  # noqa: PLC0415  one test

    rig = Rig(database, tmp_path)
    accept(database, new_scene(database).id)
    rig.drain(WRITE, FILM)
    attempt = _attempt(database, PUBLISH)
    database.write(lambda c: c.execute(update(scene_heads).values(bible_version=5)))
    with pytest.raises(Conflict):
        attempt.commit(outcome())
    assert gather(database).segments == {}
