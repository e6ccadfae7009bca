"""Kombu's Redis transport, made deaf to garbage: a message that is none must not end a worker.

Kombu lets the error out of its event loop when a list holds something that it never wrote, and
Celery's parent process dies of it together with the job that its child is filming.
"""

from __future__ import annotations

from typing import Any

import structlog
from kombu.transport import redis

_log = structlog.get_logger(__name__)
NAME = f"{__name__}:Transport"


class Channel(redis.Channel):
    """Drops what cannot be read as a message."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, KeyError) as exc:
            # it is off the list already; its content may be anything, so it stays out of the log
            _log.warning("garbage in a queue dropped", error=type(exc).__name__)
            return True


class Transport(redis.Transport):
    """The Redis transport with that channel."""

    Channel = Channel
