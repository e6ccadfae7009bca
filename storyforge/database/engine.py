"""Connections and transactions, with foreign errors wrapped at this border."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from storyforge import clock
from storyforge.database.lease_clock import LeaseClock, lease_clock_of
from storyforge.errors import DatabaseUnreachable, DiskFull, SetupProblem
from storyforge.settings import DatabaseSettings

T = TypeVar("T")

_RETRIES = 5  # deadlocks and serialization failures, with jitter (guarantees F44)
_PG_RETRY_STATES = frozenset({"40001", "40P01"})
_PG_DISK_FULL = "53100"
# A worker that is stopped amid a transaction holds row locks; the server ends it after this.
_PG_IDLE_IN_TRANSACTION_MS = 30_000


class Database:
    """One engine with two doors: `read` for one look, `write` for one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock: LeaseClock = lease_clock_of(engine)
        # PostgreSQL's transactions give a look nothing that its statements have not (READ
        # COMMITTED), and cost two round trips. SQLite's give it one moment.
        lone = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._readers = engine.execution_options(**lone)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with; everything seen is of one moment on SQLite."""
        with _wrapped(), self._readers.connect() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and commit; run again after a deadlock, bounded.

        On SQLite the transaction takes the write lock at once (BEGIN IMMEDIATE): a read that
        turns into a write fails without waiting.
        """
        for attempt in range(_RETRIES + 1):
            try:
                with _wrapped(), self.engine.connect() as raw:
                    connection = raw.execution_options(storyforge_write=True)
                    with connection.begin():
                        return work(connection)
            except _TryAgain as conflict:
                if attempt == _RETRIES:
                    raise DatabaseUnreachable(
                        "The database gave up on a busy row; try again.", retry_after_s=1
                    ) from conflict
                clock.sleep_s(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311  jitter
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class _TryAgain(Exception):
    """A deadlock or serialization failure: the same transaction may pass now."""


@contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as exc:
        raise _translate(exc) from exc
    except PoolTimeout as exc:
        raise DatabaseUnreachable("All database connections are busy; try again.") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise _translate(exc) from exc
        raise


def _translate(exc: DBAPIError) -> Exception:
    state = getattr(exc.orig, "sqlstate", None)
    if state in _PG_RETRY_STATES:
        return _TryAgain()
    full = state == _PG_DISK_FULL or (
        isinstance(exc.orig, sqlite3.Error)
        and getattr(exc.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )
    if full:
        return DiskFull("The database's disk is full; free some space.", retry_after_s=30)
    return DatabaseUnreachable("The database does not answer; try again.", retry_after_s=5)


def open_database(url: str, settings: DatabaseSettings) -> Database:
    """Make the engine; connects lazily. Raises SetupProblem for an unknown kind of database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return Database(_sqlite_engine(url, settings))
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            pool_pre_ping=True,
            pool_timeout=settings.busy_timeout_s,
            # server-side prepared statements break behind PgBouncer's transaction mode
            connect_args={"prepare_threshold": None, "connect_timeout": 5},
        )
        event.listen(engine, "connect", _on_postgres_connect)
        return Database(engine)
    raise SetupProblem(
        f"STORYFORGE_DATABASE_URL names the database '{parsed.get_backend_name()}'; "
        "use sqlite:///... or postgresql://..."
    )


def _on_postgres_connect(connection: Any, _record: Any) -> None:
    # not a start-up option: PgBouncer refuses those
    limit = f"SET idle_in_transaction_session_timeout = {_PG_IDLE_IN_TRANSACTION_MS}"
    connection.execute(limit)
    connection.commit()


def limit_lock_wait(connection: Connection, seconds: float) -> None:
    """For this transaction on PostgreSQL: wait so long for a row, then DatabaseUnreachable."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(seconds * 1000)}")


def _sqlite_engine(url: str, settings: DatabaseSettings) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.busy_timeout_s,
        # isolation_level None: we send BEGIN ourselves, see below
        connect_args={
            "timeout": settings.busy_timeout_s,
            "isolation_level": None,
            "check_same_thread": False,
        },
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an accepted job survives a power cut
            "foreign_keys=ON",
            f"busy_timeout={int(settings.busy_timeout_s * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("storyforge_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def insert_if_absent(connection: Connection, table: Table, **values: Any) -> bool:
    """INSERT ... ON CONFLICT DO NOTHING; True when the row is ours.

    On PostgreSQL this waits for a concurrent insert of the same key to end.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    # RETURNING, because drivers do not agree on the row count of an insert
    returned = connection.execute(statement.returning(*table.primary_key.columns))
    return returned.first() is not None


def upsert(connection: Connection, table: Table, **values: Any) -> None:
    """INSERT, or replace all other columns of the row with the same primary key."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    connection.execute(
        insert(table).values(**values).on_conflict_do_update(index_elements=keys, set_=rest)
    )
