"""Evidence for the oracle: the rows of a database as they stand at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select

from storyforge.database.engine import Database
from storyforge.database.tables import (
    jobs,
    scene_bibles,
    scene_heads,
    scenes,
    segments,
    stage_results,
)
from storyforge.domain.job import JobState, Lane

Rows = Sequence[Row[Any]]
_NO_ROWS: Rows = ()


@dataclass(frozen=True)
class Sighting:
    """What a client saw of one job at one moment."""

    job_id: UUID
    seq: int
    status: str


@dataclass(frozen=True)
class Evidence:
    """All rows, and which of the jobs are due by the database's own clock."""

    scenes: Mapping[UUID, Row[Any]]
    heads: Mapping[UUID, Row[Any]]
    jobs: Mapping[UUID, Row[Any]]
    bibles: Mapping[UUID, Rows]
    segments: Mapping[UUID, Rows]
    results: Mapping[UUID, Rows]
    due: frozenset[UUID] = field(default_factory=frozenset)

    def bibles_of(self, scene_id: UUID) -> Rows:
        """All bible rows of a scene, by version."""
        return self.bibles.get(scene_id, _NO_ROWS)

    def segments_of(self, scene_id: UUID) -> Rows:
        """All segment rows of a scene, hidden ones too, by number."""
        return self.segments.get(scene_id, _NO_ROWS)

    def visible(self, scene_id: UUID) -> Rows:
        """The segment rows that readers see."""
        return [row for row in self.segments_of(scene_id) if row.hidden_at is None]

    def made_by(self, job_id: UUID) -> Rows:
        """The segment rows that one job made; more than one is damage."""
        return [row for rows in self.segments.values() for row in rows if row.job_id == job_id]

    def jobs_in(self, *states: JobState) -> Rows:
        """The job rows in these states."""
        return [row for row in self.jobs.values() if row.state in states]


def gather(database: Database) -> Evidence:
    """Read everything in one transaction."""
    with database.read() as c:
        is_due = select(jobs.c.id).where(database.clock.is_due(jobs))
        return Evidence(
            scenes={row.id: row for row in c.execute(select(scenes))},
            heads={row.scene_id: row for row in c.execute(select(scene_heads))},
            jobs={row.id: row for row in c.execute(select(jobs))},
            bibles=_grouped(c, scene_bibles, "scene_id", "version"),
            segments=_grouped(c, segments, "scene_id", "number"),
            results=_grouped(c, stage_results, "job_id", "created_at"),
            due=frozenset(c.execute(is_due).scalars()),
        )


def _grouped(c: Connection, table: Table, key: str, order: str) -> dict[UUID, Rows]:
    groups: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in c.execute(select(table).order_by(table.c[order])):
        groups[getattr(row, key)].append(row)
    return dict(groups)


NO_WAKE_UPS: Mapping[Lane, int] = dict.fromkeys(Lane, 0)
