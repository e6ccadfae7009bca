"""Migrations and partitions on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import text

from storyforge.database.engine import Database
from storyforge.database.migrate import differences, revisions, upgrade
from storyforge.database.partitions import PARTITIONED, ensure_partitions, months_from
from storyforge.ids import created_at, uuid7, uuid7_floor
from tests.builders import filmed, new_scene


def test_migrating_twice_is_fine_and_gives_exactly_the_tables_of_the_code(
    database: Database,
) -> None:
    upgrade(database)
    current, newest = revisions(database)
    assert current == newest
    assert differences(database) == []


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_partitions_reach_ahead_and_rows_land_in_their_month(database: Database) -> None:
    scene = new_scene(database)
    filmed(database, scene.id)
    month = f"{created_at(scene.id):%Y_%m}"
    with database.read() as c:
        for table in PARTITIONED:
            assert c.execute(text(f"SELECT count(*) FROM {table}_{month}")).scalar_one() == 1
    later = datetime(2031, 12, 15, tzinfo=UTC)
    made = database.write(lambda c: ensure_partitions(c, now=later, ahead=1))
    assert made == [
        f"{table}_{month}" for table in PARTITIONED for month in ("2031_11", "2031_12", "2032_01")
    ]
    assert database.write(lambda c: ensure_partitions(c, now=later, ahead=1)) == []
    assert differences(database) == [], "autogenerate leaves partitions alone"


def test_months_touch_without_gap_over_the_turn_of_the_year() -> None:
    spans = list(months_from(datetime(2026, 12, 31, 23, 59, tzinfo=UTC), 2))
    assert [f"{first:%Y-%m}" for first, _ in spans] == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert all(end == start for (_, end), (start, _) in pairwise(spans))


def test_ids_sort_by_time_and_carry_it() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert uuid7(early) < uuid7(late)
    assert created_at(uuid7(early)) == early
    assert uuid7_floor(early) <= uuid7(early)
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
