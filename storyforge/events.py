"""Live events over Redis pub/sub: hints that something moved.

The database stays the truth: a lost event is made good by the reader's next look at the rows,
so publishing never fails a job.
"""

from __future__ import annotations

from typing import Literal, Protocol
from uuid import UUID

import redis
import structlog

from storyforge.domain.job import JobProgressUpdate
from storyforge.domain.wire import Wire

CHANNEL = "storyforge:live"
_log = structlog.get_logger(__name__)


class LiveEvent(Wire):
    """One message on the channel: a job's numbered update, or a scene's new revision."""

    kind: Literal["job", "scene"]
    scene_id: UUID
    job: JobProgressUpdate | None = None
    revision: int | None = None


class EventBus(Protocol):
    """Where numbered updates are published."""

    def publish(self, event: LiveEvent) -> None:
        """Tell whoever listens; never raises for a broker that is away."""
        ...


class RedisEvents:
    """The bus over Redis or Valkey."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )

    def publish(self, event: LiveEvent) -> None:
        """Publish, or log that nobody could be told."""
        try:
            self._client.publish(CHANNEL, event.model_dump_json(by_alias=True))
        except redis.RedisError as exc:
            _log.warning("event not published", scene_id=str(event.scene_id), error=str(exc))

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()


class RecordedEvents:
    """A bus that keeps what was published, for tests and for tools without a broker."""

    def __init__(self) -> None:
        self.events: list[LiveEvent] = []

    def publish(self, event: LiveEvent) -> None:
        """Keep it."""
        self.events.append(event)
