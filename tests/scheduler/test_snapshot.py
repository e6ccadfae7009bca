"""The claim and the snapshot that comes with it: one commit, and no damaged job stops its lane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from storyforge.database.engine import Database
from storyforge.database.tables import jobs, scene_bibles
from storyforge.domain.job import JobState, Stage
from storyforge.failpoints import Failpoints
from tests.builders import accept, new_scene
from tests.scheduler.rig import WRITE, Rig


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work")


def test_a_job_is_claimed_and_snapshotted_in_one_commit(rig: Rig) -> None:
    job = accept(rig.database, new_scene(rig.database).id).job
    worker = rig.worker(WRITE)
    commits: list[str] = []
    at_start: list[int] = []

    class Start(Failpoints):
        """Counts the commits before the first line of the first stage."""

        def hit(self, stage: str, point: str, job: str = "") -> None:
            if (stage, point) == (Stage.EXPAND_SCRIPT.value, "p1"):
                at_start.append(len(commits))

    def count(_connection: Any) -> None:
        commits.append("")

    object.__setattr__(worker, "failpoints", Start())
    event.listen(rig.database.engine, "commit", count)
    try:
        worker.drain()
    finally:
        event.remove(rig.database.engine, "commit", count)
    assert at_start == [1]
    with rig.database.read() as c:
        payload = c.execute(jobs.select().where(jobs.c.id == job.id)).one().payload
    assert payload["jobId"] == str(job.id)


def test_a_job_whose_snapshot_cannot_be_made_ends_dead_and_its_lane_goes_on(rig: Rig) -> None:
    damaged, sound = new_scene(rig.database), new_scene(rig.database)
    first, second = accept(rig.database, damaged.id).job, accept(rig.database, sound.id).job
    rig.database.write(
        lambda c: c.execute(
            update(scene_bibles)
            .where(scene_bibles.c.scene_id == damaged.id)
            .values(body={"version": "not a number"})
        )
    )
    assert rig.drain(WRITE) == 2
    assert rig.job(first.id).state is JobState.DEAD
    assert rig.job(second.id).state is JobState.QUEUED
    assert rig.job(second.id).lane is not WRITE
