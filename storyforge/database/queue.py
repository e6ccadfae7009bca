"""The line of jobs before the devices, as far as anybody wants to know it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from storyforge.database.tables import jobs
from storyforge.domain.job import JobConfig, JobState, Lane
from storyforge.domain.queue_outlook import InLine

LINE_MAX = 500  # who stands further behind is told no time, which would be worth nothing


def line_of_jobs(c: Connection) -> Sequence[InLine]:
    """The jobs that are written or filmed, or wait for that, oldest first."""
    query = (
        select(
            jobs.c.id,
            jobs.c.lane,
            jobs.c.state,
            jobs.c.batch_key,
            jobs.c.begun,
            jobs.c.config,
            jobs.c.progress,
        )
        .where(
            jobs.c.lane.in_([Lane.WRITE, Lane.FILM]),
            jobs.c.state.in_([JobState.QUEUED, JobState.LEASED]),
        )
        .order_by(jobs.c.id)
        .limit(LINE_MAX)
    )
    return [
        InLine(
            id=row.id,
            lane=Lane(row.lane),
            filming=row.lane == Lane.FILM and row.state == JobState.LEASED and row.begun,
            key=row.batch_key,
            target_s=JobConfig.model_validate(row.config).target_duration,
            progress=row.progress,
        )
        for row in c.execute(query)
    ]
