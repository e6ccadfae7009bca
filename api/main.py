"""The API process: `python -m api.main` serves until SIGTERM, on loopback only."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.live import MAX_MESSAGE_BYTES
from scheduler.dispatch import CeleryDispatcher, make_celery
from storyforge.database.engine import open_database
from storyforge.errors import SetupProblem
from storyforge.events import RedisEvents
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.settings import Settings, load_settings
from storyforge.storage import open_signer, open_store
from storyforge.telemetry import set_up_logging

_SHUTDOWN_S = 5  # open sockets and playlists need no longer; the supervisor waits 8


def main() -> None:
    """Serve as the settings say; a set-up problem ends it with status 2."""
    try:
        settings = load_settings()
        require_loopback(settings)
        set_up_logging(settings.node.log_level, role="api")
        several = settings.node.api_processes > 1
        uvicorn.run(
            "api.main:app_from_settings" if several else build_app(settings),
            factory=several,
            workers=settings.node.api_processes if several else None,
            host=settings.node.host,
            port=settings.node.port,
            ws_max_size=MAX_MESSAGE_BYTES,
            timeout_graceful_shutdown=_SHUTDOWN_S,
            log_config=None,
            access_log=False,  # the outermost guard logs without query strings
            server_header=False,
            proxy_headers=False,  # no proxy is trusted to name another client
        )
    except SetupProblem as exc:
        sys.stderr.write(f"storyforge api: {exc.detail}\n")
        sys.exit(2)


def app_from_settings() -> FastAPI:
    """The app of one of several API processes."""
    settings = load_settings()
    set_up_logging(settings.node.log_level, role="api")
    return build_app(settings)


def build_app(settings: Settings) -> FastAPI:
    """Open what the settings name. Raises SetupProblem for what cannot work."""
    broker_url = settings.broker.url
    if not broker_url:
        raise SetupProblem(
            "No broker is set. `storyforge up` starts an embedded one; on its own the API needs "
            "STORYFORGE_BROKER_URL, e.g. redis://127.0.0.1:6379/0."
        )
    return create_app(
        settings,
        database=open_database(settings.database_url, settings.database),
        store=open_store(settings),
        dispatcher=CeleryDispatcher(make_celery(settings, broker_url)),
        events=RedisEvents(broker_url, timeout_s=settings.broker.connect_timeout_s),
        signer=open_signer(settings),
        broker_url=broker_url,
        failpoints=Failpoints(
            parse_failpoints(settings.failpoint), settings.work_dir / "failpoints"
        ),
    )


def require_loopback(settings: Settings) -> None:
    """Raise SetupProblem for an address that others can reach: there are no accounts yet."""
    if not settings.node.is_loopback:
        raise SetupProblem(
            f"STORYFORGE_NODE_HOST is '{settings.node.host}', which others could reach; the node has no "
            "accounts yet and serves its own host only. Use 127.0.0.1, and an SSH tunnel from "
            "elsewhere."
        )


if __name__ == "__main__":
    main()
