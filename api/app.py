"""Puts the control plane together from what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import (
    bibles,
    continuations,
    continuity,
    films,
    health,
    job_films,
    jobs,
    live,
    media,
    metrics,
    pages,
    problems,
    references,
    scenes,
    segments,
)
from api.guards import BodyGuard, OriginGuard, OutermostGuard
from api.health_checks import (
    Check,
    HealthChecks,
    check_broker,
    check_database,
    check_devices,
    check_store,
    check_workers,
    check_writer,
)
from api.live_hub import LiveHub
from api.playlist_cache import PlaylistCache
from api.services import Services
from scheduler.dispatch import Dispatcher
from storyforge.database.engine import Database
from storyforge.events import EventBus
from storyforge.failpoints import Failpoints
from storyforge.images.intake import PictureIntake
from storyforge.settings import Settings
from storyforge.storage.store import ObjectStore
from storyforge.storage.tokens import TokenSigner

_ROUTED = (
    scenes,
    bibles,
    references,
    continuations,
    continuity,
    films,
    segments,
    jobs,
    job_films,
    live,
    media,
    health,
    metrics,
    pages,
)


def create_app(
    settings: Settings,
    *,
    database: Database,
    store: ObjectStore,
    dispatcher: Dispatcher,
    events: EventBus,
    signer: TokenSigner,
    broker_url: str | None,
    failpoints: Failpoints | None = None,
) -> FastAPI:
    """The ASGI app. Nothing is connected before it starts to serve.

    signer: made with the same secret as the store's. broker_url: where live events are heard
    and health looks; None without a broker (updates then come from the database alone).
    """
    services = Services(
        settings=settings,
        database=database,
        store=store,
        dispatcher=dispatcher,
        events=events,
        signer=signer,
        failpoints=failpoints or Failpoints(),
        playlists=PlaylistCache(database),
        hub=LiveHub(database, broker_url),
        health=HealthChecks(_checks(settings, database, store, broker_url)),
        pictures=PictureIntake(pixels_max=settings.limits.picture_pixels),
    )
    # no docs pages and no schema route: closed by default, and their scripts would break the CSP
    app = FastAPI(
        title="StoryForge",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.services = services
    problems.install(app)
    for module in _ROUTED:
        app.include_router(module.router)
    pages.mount_static(app)
    # the last one added is the outermost
    app.add_middleware(
        BodyGuard,
        limit_bytes=settings.limits.body_bytes,
        picture_bytes=settings.limits.picture_bytes,
    )
    app.add_middleware(OriginGuard)
    app.add_middleware(OutermostGuard)
    return app


def _checks(
    settings: Settings, database: Database, store: ObjectStore, broker_url: str | None
) -> Mapping[str, Check]:
    checks: dict[str, Check] = {
        "database": check_database(database),
        "store": check_store(store),
        "workers": check_workers(database),
        "devices": check_devices(database),
        "writer": check_writer(database, settings.writer),
    }
    if broker_url:
        checks["broker"] = check_broker(broker_url, settings.broker.connect_timeout_s)
    return checks


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.hub.start()
    try:
        yield
    finally:
        await services.hub.stop()
        services.health.close()
