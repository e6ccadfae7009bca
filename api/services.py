"""What the routes work with: built once by `create_app`, handed to each route by FastAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.health_checks import HealthChecks
from api.live_hub import LiveHub
from api.playlist_cache import PlaylistCache
from scheduler.dispatch import Dispatcher
from storyforge.database.engine import Database
from storyforge.events import EventBus
from storyforge.failpoints import Failpoints
from storyforge.images.intake import PictureIntake
from storyforge.settings import Settings
from storyforge.storage.store import ObjectStore
from storyforge.storage.tokens import TokenSigner


@dataclass(frozen=True)
class Services:
    """Everything outside of this process's code that a route may use."""

    settings: Settings
    database: Database
    store: ObjectStore
    dispatcher: Dispatcher
    events: EventBus
    signer: TokenSigner
    failpoints: Failpoints
    playlists: PlaylistCache
    hub: LiveHub
    health: HealthChecks
    pictures: PictureIntake


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that serves this connection."""
    found = connection.app.state.services
    assert isinstance(found, Services)
    return found


async def _services(connection: HTTPConnection) -> Services:
    # async though it waits for nothing: FastAPI takes a plain function to a thread and back
    return services_of(connection)


Use = Annotated[Services, Depends(_services)]
"""A route's parameter that takes the services."""
