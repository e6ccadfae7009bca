"""The worker process: a Celery worker for one lane, pinned to one device by its environment.

`python -m scheduler.worker --lane film --device 0`. The parent only listens to the broker and
never touches a device; its prefork children do the work, and one that dies is replaced.
"""

from __future__ import annotations

import argparse
import mmap
from dataclasses import dataclass
from typing import Any

import structlog
from celery import Celery, signals

from scheduler.dispatch import DRAIN_TASK, make_celery
from scheduler.drain import Worker
from scheduler.runtime import build_worker, require_broker
from storyforge.domain.job import Lane
from storyforge.settings import Settings, load_settings
from storyforge.telemetry import set_up_logging

_log = structlog.get_logger(__name__)
_CHILD_START_S = 120.0  # loading a model's libraries takes longer than Celery's 4 s


@dataclass
class _Child:
    """What a pool child holds; empty in the parent."""

    worker: Worker | None = None


def main() -> None:
    """Run until SIGTERM; then leases are handed back and the process ends."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.worker")
    parser.add_argument("--lane", required=True, choices=[lane.value for lane in Lane])
    parser.add_argument("--device", default="cpu", help="name of the pinned device")
    arguments = parser.parse_args()
    settings = load_settings()
    lane = Lane(arguments.lane)
    set_up_logging(settings.node.log_level, role=f"worker-{lane.value}-{arguments.device}")
    app = make_celery(settings, require_broker(settings))
    arm(app, settings, lane, arguments.device)
    app.worker_main(
        [
            "worker",
            f"--queues={lane.value}",
            f"--concurrency={processes(settings, lane)}",
            f"--hostname={lane.value}-{arguments.device}@%h",
            "--pool=prefork",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )


def processes(settings: Settings, lane: Lane) -> int:
    """How many children a lane's worker has; a device has exactly one."""
    counts = {Lane.WRITE: settings.jobs.writers, Lane.PUBLISH: settings.jobs.publishers}
    return counts.get(lane, 1)


def arm(app: Celery, settings: Settings, lane: Lane, device: str) -> None:
    """Give the app its one task and the life of its children.

    The stop flag is made before the fork and shared: a warm shutdown is the parent's business,
    and this is how the children hear of it. One byte of shared memory and no Event: an Event has
    a lock, and a child killed while it looks would hold it for ever.
    """
    stop = mmap.mmap(-1, 1)
    child = _Child()
    app.conf.worker_proc_alive_timeout = _CHILD_START_S

    @signals.worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
    def _open(**_kwargs: Any) -> None:
        child.worker = build_worker(settings, lane, device, lambda: stop[0] == 1)
        _log.info("ready", lane=lane.value, device=device)

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def _stop(**_kwargs: Any) -> None:
        stop[0] = 1

    @app.task(name=DRAIN_TASK)  # type: ignore[untyped-decorator]
    def _drain(wanted: str) -> None:
        if child.worker is None or wanted != lane.value:
            _log.warning("foreign wake-up ignored", wanted=str(wanted)[:40])
            return
        child.worker.drain()


if __name__ == "__main__":
    main()
