"""One child process: started in its own process group, ended with everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from storyforge import clock
from storyforge.cli.supervisor.child_logs import open_log

_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class ChildSpec:
    """How to start one child, and how to end it.

    env: variables set on top of the supervisor's own environment.
    stop_order: children of the lowest order are ended first, all of one order together.
    grace_s: from SIGTERM to SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_order: int = 0
    grace_s: float = 20.0


class Child:
    """A running child; its process id is also its process group's."""

    def __init__(self, spec: ChildSpec, log_path: Path) -> None:
        self.spec = spec
        self.log_path = log_path
        self.started_s = clock.monotonic_s()
        log = open_log(log_path)
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own programs
                (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *spec.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **spec.env},
                start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor only
            )
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        """Process id and process group."""
        return self._process.pid

    @property
    def uptime_s(self) -> float:
        """Seconds since it was started."""
        return clock.monotonic_s() - self.started_s

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """SIGTERM to the child alone: it tells its own children what to do."""
        if self.exit_code() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def kill_group(self) -> None:
        """SIGKILL to the child and to whatever of its group outlived it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def in_words(exit_code: int) -> str:
    """An exit code for a message: `code 1` or `signal SIGKILL`."""
    if exit_code >= 0:
        return f"code {exit_code}"
    try:
        return f"signal {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"signal {-exit_code}"
