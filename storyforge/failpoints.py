"""Named failpoints: make a process die, stop or fail at an exact point, for tests only.

`FAILPOINT=stage:point:action[*times][+skip][@job]`, several joined by commas. Points: p1 before
the work, p2 amid it, p3 result durable but its row not committed, p4 row committed. Actions: `kill`
(SIGKILL of this process), `killgroup` (SIGKILL of its process group), `stop` (SIGSTOP), `hang`
(never returns), `segfault`, `fail` (an unexpected error), `unavailable` and `enospc` (typed
errors). Each fires `times` times (default once), counted by files, so that a restarted process
does not fire again; it lets the first `skip` hits of a process pass, and with a job's id it
fires for that job only.
"""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storyforge import clock
from storyforge.errors import SetupProblem, Unavailable

POINTS = ("p1", "p2", "p3", "p4")
_HANG_STEP_S = 3600.0


@dataclass(frozen=True)
class Failpoint:
    """One armed point."""

    stage: str
    point: str
    action: str
    times: int = 1
    skip: int = 0
    job: str = ""


def parse_failpoints(spec: str) -> tuple[Failpoint, ...]:
    """Read `stage:point:action[*times][+skip][@job],...`. Raises SetupProblem on anything else."""
    found = []
    for one in filter(None, (part.strip() for part in spec.split(","))):
        stage, _, rest = one.partition(":")
        point, _, action = rest.partition(":")
        action, _, job = action.partition("@")
        action, _, skip = action.partition("+")
        action, _, times = action.partition("*")
        if not stage or point not in POINTS or action not in _ACTIONS:
            known = ", ".join(_ACTIONS)
            raise SetupProblem(
                f"FAILPOINT '{one}' is not stage:point:action with a point of p1..p4 and an "
                f"action of {known}."
            )
        found.append(Failpoint(stage, point, action, int(times or 1), int(skip or 0), job))
    return tuple(found)


class Failpoints:
    """The armed points of this process; with none armed, `hit` does nothing."""

    def __init__(self, armed: tuple[Failpoint, ...] = (), latches: Path | None = None) -> None:
        self._armed = armed
        self._latches = latches
        self._passed: Counter[Failpoint] = Counter()

    def hit(self, stage: str, point: str, job: str = "") -> None:
        """Act if this point is armed, for this job too, and has not fired often enough yet."""
        for failpoint in self._armed:
            meant = failpoint.job in {"", job}
            if (failpoint.stage, failpoint.point) != (stage, point) or not meant:
                continue
            self._passed[failpoint] += 1
            if self._passed[failpoint] > failpoint.skip and self._fires(failpoint):
                _ACTIONS[failpoint.action]()

    def _fires(self, failpoint: Failpoint) -> bool:
        if self._latches is None:
            return True
        self._latches.mkdir(parents=True, exist_ok=True)
        for turn in range(failpoint.times):
            name = f"{failpoint.stage}-{failpoint.point}-{failpoint.action}{failpoint.job}-{turn}"
            latch = self._latches / name
            try:
                os.close(os.open(latch, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                continue
            return True
        return False


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_group() -> None:
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    while True:
        clock.sleep_s(_HANG_STEP_S)


def _fail() -> None:
    raise RuntimeError("failpoint: an unexpected error")


def _unavailable() -> None:
    raise Unavailable("Failpoint: something is away for a moment.", retry_after_s=0)


def _enospc() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


_ACTIONS: Mapping[str, Callable[[], None]] = {
    "kill": _kill,
    "killgroup": _kill_group,
    "stop": _stop,
    "segfault": _segfault,
    "hang": _hang,
    "fail": _fail,
    "unavailable": _unavailable,
    "enospc": _enospc,
}
