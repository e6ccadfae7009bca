"""Schema migrations by Alembic, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storyforge import clock
from storyforge.database.engine import Database
from storyforge.database.partitions import ensure_partitions
from storyforge.database.tables import metadata

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x5F0_A1E  # advisory lock: two nodes starting at once migrate one after the other


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision and make the partitions. Safe to run twice."""

    def run(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        ensure_partitions(connection, now=clock.utc_now())

    database.write(run)


def revisions(database: Database) -> tuple[str | None, str | None]:
    """(the database's revision, the newest revision); equal when nothing is to be done."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, newest


def differences(database: Database) -> list[Any]:
    """What autogenerate would still change; partitions are left alone."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=comparison_options(connection))
        return list(compare_metadata(context, metadata))


def comparison_options(connection: Connection) -> dict[str, Any]:
    """How autogenerate looks at this database: partitions are not tables of their own."""
    partitions = _partition_names(connection)

    def include_name(name: str | None, type_: str, _parents: Any) -> bool:
        return not (type_ == "table" and name in partitions)

    def include_object(
        item: Any, _name: str | None, type_: str, reflected: bool, _compare_to: Any
    ) -> bool:
        # PostgreSQL copies a foreign key to a partitioned table once for every partition
        if type_ != "foreign_key_constraint" or not reflected:
            return True
        return item.elements[0].target_fullname.split(".")[0] not in partitions

    return {
        "include_name": include_name,
        "include_object": include_object,
        "render_as_batch": connection.dialect.name == "sqlite",
    }


def _partition_names(connection: Connection) -> frozenset[str]:
    if connection.dialect.name != "postgresql":
        return frozenset()
    rows = connection.execute(text("SELECT relname FROM pg_class WHERE relispartition"))
    return frozenset(rows.scalars())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config
