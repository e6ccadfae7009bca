"""The signals that end the node, turned into a flag and a wake-up of the waiting loop."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Self

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignals:
    """Inside `with`: SIGTERM, SIGINT and SIGHUP ask to stop, SIGCHLD only wakes.

    A handler that sets a threading.Event can deadlock with the wait that it interrupts, so the
    wake-up goes through a pipe.
    """

    def __init__(self) -> None:
        self.stop_asked = False
        self.interrupts = 0
        self._read_fd = -1
        self._write_fd = -1
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self._wakeup_before = signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in (*_STOP, signal.SIGCHLD):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP:
            self.stop_asked = True
        if number == signal.SIGINT:
            self.interrupts += 1

    @property
    def in_a_hurry(self) -> bool:
        """True after a second Ctrl-C: kill what has not ended."""
        return self.interrupts > 1

    def wait(self, timeout_s: float) -> None:
        """Sleep until a signal comes or the time is over."""
        ready, _, _ = select.select([self._read_fd], [], [], max(0.0, timeout_s))
        if ready:
            while self._drain():
                pass

    def _drain(self) -> bool:
        try:
            return bool(os.read(self._read_fd, 512))
        except BlockingIOError:
            return False
