"""Fixtures of the two databases, migrated and empty, and of a real Valkey."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storyforge.database.engine import Database, open_database
from storyforge.database.migrate import upgrade
from storyforge.settings import DatabaseSettings
from tests.servers import postgres
from tests.servers.valkey import Valkey

SETTINGS = DatabaseSettings(pool_size=30)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """A real PostgreSQL 15; skipped where it is not installed, except in CI."""
    if postgres.find_binaries() is None:
        message = f"the PostgreSQL tests need: {postgres.INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    server = postgres.PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.PostgresServer) -> str:
    """The name of a migrated database to copy."""
    url = postgres_server.new_database()
    migrated = open_database(url, SETTINGS)
    upgrade(migrated)
    migrated.dispose()
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "storyforge.db"
    migrated = open_database(f"sqlite:///{path}", SETTINGS)
    upgrade(migrated)
    migrated.dispose()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database of each kind in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "storyforge.db")
        return f"sqlite:///{tmp_path}/storyforge.db"
    server: postgres.PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database(template=request.getfixturevalue("postgres_template"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of each kind in turn."""
    opened = open_database(database_url, SETTINGS)
    yield opened
    opened.dispose()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A real broker of its own for the test."""
    server = Valkey(tmp_path / "valkey")
    server.start()
    yield server
    server.close()
