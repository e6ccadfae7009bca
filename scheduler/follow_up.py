"""One thread that finishes a job while the next one begins."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

_LOOK_EVERY_S = 1.0


class FollowUp:
    """Holds at most one piece of work; starting another waits for the first to end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="follow-up")
        self._running: Future[object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)

    def is_busy(self) -> bool:
        """Whether work is under way."""
        return self._running is not None and not self._running.done()

    def start(self, work: Callable[[], object]) -> None:
        """Begin, behind whatever is under way."""
        self.wait()
        self._running = self._pool.submit(work)

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait for what is under way, calling `meanwhile` every second; raises what it raised."""
        if self._running is None:
            return
        while not self._running.done():
            wait([self._running], timeout=_LOOK_EVERY_S)
            meanwhile()
        running, self._running = self._running, None
        running.result()
