"""Nothing that a reader or a job waits for reads more rows because the story is long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from benchmarks.scene_rows import Filled, fill, finish
from scheduler.payloads import RECENT_SEGMENTS
from storyforge import clock
from storyforge.database import jobs, scenes, segments
from storyforge.database.engine import Database, open_database
from storyforge.database.migrate import upgrade
from storyforge.domain.job import JobState
from storyforge.ids import uuid7_floor
from storyforge.settings import DatabaseSettings
from tests.builders import accept

SHORT, LONG = 10, 400
Work = Callable[[Database, Filled], object]


def _reading(read: Callable[[Connection, Filled], object]) -> Work:
    def work(database: Database, scene: Filled) -> object:
        with database.read() as c:
            return read(c, scene)

    return work


def _continue(**wishes: Callable[[Filled], object]) -> Work:
    def work(database: Database, scene: Filled) -> object:
        asked: dict[str, Any] = {name: wish(scene) for name, wish in wishes.items()}
        return accept(database, scene.id, **asked)

    return work


def _finalise(database: Database, scene: Filled) -> None:
    finish(database, accept(database, scene.id).job.id)


WORKS: dict[str, Work] = {
    "continue": _continue(),
    "continue a version": _continue(bible_version=lambda scene: scene.count + 1),
    "continue a job": _continue(after_job_id=lambda scene: scene.last_job_id),
    "finalise": _finalise,
    "head": _reading(lambda c, scene: scenes.get_scene(c, scene.id)),
    "story": _reading(lambda c, scene: scenes.get_story(c, scene.id)),
    "first page": _reading(lambda c, scene: segments.list_segments(c, scene.id, limit=10)),
    "last page": _reading(
        lambda c, scene: segments.list_segments(
            c, scene.id, limit=10, after_number=scene.count - 10
        )
    ),
    "one more for the playlist": _reading(
        lambda c, scene: segments.segment_rungs(
            c, scene.id, after_number=scene.count - 1, up_to_number=scene.count
        )
    ),
    "summaries": _reading(
        lambda c, scene: segments.recent_summaries(
            c, scene.id, RECENT_SEGMENTS, before=scene.count + 1
        )
    ),
    "dead jobs": _reading(
        lambda c, scene: jobs.list_jobs(c, limit=10, scene_id=scene.id, states=[JobState.DEAD])
    ),
    "live look": _reading(
        lambda c, scene: jobs.changed_jobs(
            c, [scene.id], {}, uuid7_floor(clock.utc_now() - timedelta(seconds=60))
        )
    ),
}


class Steps:
    """Counts the steps of SQLite's virtual machine: exact, where a clock would be noise."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine, "connect", self._watch)

    def _watch(self, connection: Any, _record: Any) -> None:
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.count += 1
        return 0

    def of(self, work: Callable[[], object]) -> int:
        before = self.count
        work()
        return self.count - before


@pytest.mark.parametrize("name", WORKS)
def test_a_long_scene_costs_what_a_short_one_costs(name: str, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/scenes.db", DatabaseSettings())
    steps = Steps(database)
    upgrade(database)
    short, long = fill(database, SHORT), fill(database, LONG)
    few = steps.of(lambda: WORKS[name](database, short))
    many = steps.of(lambda: WORKS[name](database, long))
    database.dispose()
    assert few > 0
    assert many <= 1.2 * few, f"{name}: {many} steps for {LONG} segments, {few} for {SHORT}"
