"""How many jobs there are, by lane and state."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from storyforge.database.tables import jobs


def count_by_state(c: Connection) -> Mapping[tuple[str, str], int]:
    """Counts by (lane, state)."""
    query = select(jobs.c.lane, jobs.c.state, func.count()).group_by(jobs.c.lane, jobs.c.state)
    return {(lane, state): count for lane, state, count in c.execute(query)}
