"""Real nodes for journeys: processes, a real broker, each database in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.node import Node
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import Valkey

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
# For what does not depend on the database.
SQLITE_ONLY = pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
POSTGRES_ONLY = pytest.mark.parametrize(
    "new_database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
StartNode = Callable[..., Node]


@pytest.fixture(scope="module", params=DATABASES)
def new_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Gives URLs of migrated, empty databases of each kind in turn."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")

        def copy() -> str:
            path = tmp_path_factory.mktemp("database") / "storyforge.db"
            shutil.copy(template, path)
            return f"sqlite:///{path}"

        return copy
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name: str = request.getfixturevalue("postgres_template")
    return lambda: server.new_database(template=name)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A real broker for the module's nodes."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def node(
    new_database_url: Callable[[], str],
    broker: Valkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Node]:
    """A node with nothing wrong with it, shared by the module's journeys."""
    folder = tmp_path_factory.mktemp("node")
    with Node(folder, new_database_url(), broker.url) as running:
        yield running
    broker.flush()


@pytest.fixture
def start_node(new_database_url: Callable[[], str], tmp_path: Path) -> Iterator[StartNode]:
    """Starts a node of its own for the test, with a broker of its own, with `env`."""
    with ExitStack() as stack:

        def start(env: dict[str, str] | None = None, **options: Any) -> Node:
            server = Valkey(tmp_path / "valkey")
            server.start()
            stack.callback(server.close)
            node = Node(tmp_path / "node", new_database_url(), server.url, env or {}, **options)
            return stack.enter_context(node)

        yield start
