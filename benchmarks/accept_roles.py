"""The two worker processes that `accept_latency.py` measures; each stamps its moments.

accept_roles.py ours|bare STAMPS BROKER_URL

STAMPS is the path of a Unix datagram socket. A stamp is one JSON object with CLOCK_MONOTONIC of
the process that does the work, so that neither side's report travels on the measured path.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from dataclasses import dataclass, fields
from typing import Any

from celery import Celery

BARE_TASK = "bare.start"
BARE_QUEUE = "bare"
_FLAGS = (
    "--concurrency=1",
    "--pool=prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=WARNING",
)


class Stamps:
    """Sends moments to the benchmark."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def send(self, moment: str, identity: str = "") -> None:
        """Stamp and send."""
        stamp = {"ns": time.monotonic_ns(), "moment": moment, "id": identity}
        self._socket.sendto(json.dumps(stamp).encode(), self._path)


def main() -> None:
    """Play one role until SIGTERM."""
    role, path, broker_url = sys.argv[1:]
    if role == "ours":
        _ours(Stamps(path))
    else:
        _bare(Stamps(path), broker_url)


def bare_app(broker_url: str) -> Celery:
    """The smallest Celery app with the product's serializer, acknowledgement and prefetch."""
    app = Celery("bare", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        task_default_queue=BARE_QUEUE,
    )
    return app


def _bare(stamps: Stamps, broker_url: str) -> None:
    app = bare_app(broker_url)

    @app.task(name=BARE_TASK)  # type: ignore[untyped-decorator]
    def _start(identity: str) -> None:
        stamps.send("stage", identity)

    app.worker_main(["worker", f"--queues={BARE_QUEUE}", "--hostname=bare@%h", *_FLAGS])


def _ours(stamps: Stamps) -> None:
    """The product's own worker process, with a stamp where the first stage begins."""
    from scheduler import runtime  # noqa: PLC0415 - the bare worker must not load it
    from scheduler import worker as product  # noqa: PLC0415 - the bare worker must not load it
    from scheduler.drain import Worker  # noqa: PLC0415 - the bare worker must not load it
    from storyforge.failpoints import Failpoints  # noqa: PLC0415 - the bare worker must not load it

    class Points(Failpoints):
        """Point p1 of a stage is its first line."""

        def hit(self, stage: str, point: str, job: str = "") -> None:
            if (stage, point) == ("expand_script", "p1"):
                stamps.send("stage", job)

    @dataclass(frozen=True)
    class Stamped(Worker):
        """Says when a wake-up arrives and when the queue is empty again."""

        def drain(self) -> int:
            stamps.send("woken")
            claimed = super().drain()
            stamps.send("idle")
            return claimed

    product_build = runtime.build_worker

    def build_stamped(*arguments: Any) -> Worker:
        built = product_build(*arguments)
        parts = {field.name: getattr(built, field.name) for field in fields(built)}
        return Stamped(**{**parts, "failpoints": Points()})

    vars(product)["build_worker"] = build_stamped
    sys.argv[1:] = ["--lane", "write"]
    product.main()


if __name__ == "__main__":
    main()
