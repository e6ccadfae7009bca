"""Monthly partitions of `jobs` and `segments` on PostgreSQL; nothing to do on SQLite.

There is no DEFAULT partition on purpose: its rows would block creating their month later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from storyforge.ids import uuid7_floor

PARTITIONED = ("jobs", "segments")
MONTHS_AHEAD = 3
_DECEMBER = 12
# One writer at a time; any constant will do as long as it is ours alone.
_LOCK_KEY = 0x5F0_91E


def partition_name(table: str, month: datetime) -> str:
    """E.g. `jobs_2026_11`."""
    return f"{table}_{month:%Y_%m}"


def months_from(now: datetime, ahead: int) -> Iterator[tuple[datetime, datetime]]:
    """(first moment, first moment of the next) of the month before `now` to `ahead` after it.

    The month before is there for hosts whose clock is behind.
    """
    month = _month_before(datetime(now.year, now.month, 1, tzinfo=UTC))
    for _ in range(ahead + 2):
        following = _month_after(month)
        yield month, following
        month = following


def ensure_partitions(c: Connection, *, now: datetime, ahead: int = MONTHS_AHEAD) -> list[str]:
    """Create the missing partitions; gives the names of those it made. Safe to run twice."""
    if c.dialect.name != "postgresql":
        return []
    c.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    made = []
    for table in PARTITIONED:
        for first, following in months_from(now, ahead):
            name = partition_name(table, first)
            if c.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None:
                low, high = uuid7_floor(first), uuid7_floor(following)
                c.execute(
                    text(
                        f"CREATE TABLE {name} PARTITION OF {table} "
                        f"FOR VALUES FROM ('{low}') TO ('{high}')"
                    )
                )
                made.append(name)
    return made


def _month_after(month: datetime) -> datetime:
    if month.month == _DECEMBER:
        return month.replace(year=month.year + 1, month=1)
    return month.replace(month=month.month + 1)


def _month_before(month: datetime) -> datetime:
    if month.month == 1:
        return month.replace(year=month.year - 1, month=_DECEMBER)
    return month.replace(month=month.month - 1)
