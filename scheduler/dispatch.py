"""Wake-ups: "lane L has work", sent after commit; losing or doubling one changes nothing."""

from __future__ import annotations

from typing import Protocol

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from scheduler import broker_transport
from storyforge.domain.job import Lane
from storyforge.settings import Settings

DRAIN_TASK = "storyforge.drain"
_log = structlog.get_logger(__name__)


class Dispatcher(Protocol):
    """Wakes the workers of a lane."""

    def wake(self, lane: Lane) -> bool:
        """Send a wake-up; False when the broker is away (the sweeper sends one later)."""
        ...


class CeleryDispatcher:
    """Wake-ups as Celery messages; each lane is a queue of its own name."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def wake(self, lane: Lane) -> bool:
        """Send one message without waiting for anybody."""
        try:
            self._app.send_task(
                DRAIN_TASK, args=[lane.value], queue=lane.value, ignore_result=True, retry=False
            )
        except (OperationalError, OSError) as exc:
            _log.warning("wake-up not sent", lane=lane.value, error=str(exc))
            return False
        return True


class RecordedWakeUps:
    """A dispatcher that keeps what was asked, for tests."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []

    def wake(self, lane: Lane) -> bool:
        """Keep it."""
        self.lanes.append(lane)
        return True


def make_celery(settings: Settings, broker_url: str) -> Celery:
    """The Celery app: JSON only, early acknowledgement, no results, no prefetch."""
    app = Celery("storyforge", broker=broker_url, set_as_current=False)
    timeout_s = settings.broker.connect_timeout_s
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport=broker_transport.NAME,
        broker_transport_options={
            "socket_timeout": max(timeout_s, 5.0),
            "socket_connect_timeout": timeout_s,
            "retry_on_timeout": False,
            "max_retries": 0,
        },
        task_default_queue=Lane.WRITE.value,
        task_create_missing_queues=True,
        enable_utc=True,
    )
    return app
