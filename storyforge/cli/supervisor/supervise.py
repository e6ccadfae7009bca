"""The supervising loop: start children, start again what dies, end all in order."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from storyforge import clock
from storyforge.cli.supervisor.child import Child, ChildSpec, in_words
from storyforge.cli.supervisor.child_logs import keep_bounded, last_line
from storyforge.cli.supervisor.restarts import RestartPolicy, decide_restart
from storyforge.cli.supervisor.stop_signals import StopSignals

_WARDEN = Path(__file__).with_name("warden.py")
_LOOK_S = 0.5  # SIGCHLD wakes the loop at once; this is for logs, readiness and lost signals
_STOP_POLL_S = 0.05
_SHOWN_LINE_CHARS = 160


@dataclass
class _Slot:
    spec: ChildSpec
    child: Child | None = None
    failures: int = 0
    start_at_s: float = 0.0


class Supervisor:
    """Owns the children; used on the main thread, inside `with`, after the signals are set.

    report: gets one clear line for everything worth saying.
    warden_grace_s: how long children have after the supervisor itself was killed.
    kept_fds: file descriptors that the warden holds on to (the data directory's lock).
    """

    def __init__(
        self,
        logs_dir: Path,
        signals: StopSignals,
        report: Callable[[str], None],
        *,
        policy: RestartPolicy | None = None,
        warden_grace_s: float = 5.0,
        kept_fds: Sequence[int] = (),
    ) -> None:
        self._logs_dir = logs_dir
        self._signals = signals
        self._report = report
        self._policy = policy or RestartPolicy()
        self._warden_grace_s = warden_grace_s
        self._kept_fds = tuple(kept_fds)
        self._slots: dict[str, _Slot] = {}
        self._warden: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._start_warden()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.close()
            self._warden.wait()

    def start(self, spec: ChildSpec) -> Child:
        """Start one child and keep it running from now on."""
        slot = self._slots.setdefault(spec.name, _Slot(spec))
        slot.spec = spec
        return self._start(slot)

    def forget(self, name: str) -> None:
        """End a child at once and do not start it again."""
        slot = self._slots.pop(name, None)
        if slot is not None and slot.child is not None:
            self._bury(slot.child)

    def log_path(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._logs_dir / f"{name}.log"

    def run(self, look: Callable[[], None] = lambda: None) -> None:
        """Keep the children running until a stop signal; `look` is called about twice a second."""
        while not self._signals.stop_asked:
            self.tend()
            look()
            self._signals.wait(self._wait_s())

    def tend(self) -> None:
        """One look at everything: note who ended, start who is due, keep the logs small."""
        self._start_warden()
        now_s = clock.monotonic_s()
        for slot in self._slots.values():
            if slot.child is not None and slot.child.exit_code() is not None:
                self._plan_restart(slot, slot.child)
            if slot.child is None and slot.start_at_s <= now_s:
                self._start(slot)
            keep_bounded(self.log_path(slot.spec.name))

    def stop_all(self) -> None:
        """End every child: order by order SIGTERM, the grace, SIGKILL to what is left."""
        alive = [slot.child for slot in self._slots.values() if slot.child is not None]
        self._slots.clear()
        alive.sort(key=lambda child: child.spec.stop_order)
        for _, together in groupby(alive, key=lambda child: child.spec.stop_order):
            self._stop(list(together))

    def _stop(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_end()
        asked_s = clock.monotonic_s()
        for child in children:
            while child.exit_code() is None and not self._signals.in_a_hurry:
                if clock.monotonic_s() - asked_s > child.spec.grace_s:
                    self._report(
                        f"{child.spec.name} did not end within {child.spec.grace_s:.0f} s; "
                        "it was killed."
                    )
                    break
                self._signals.wait(_STOP_POLL_S)
            self._bury(child)

    def _start(self, slot: _Slot) -> Child:
        slot.child = Child(slot.spec, self.log_path(slot.spec.name))
        self._tell_warden(f"+{slot.child.pid}")
        return slot.child

    def _plan_restart(self, slot: _Slot, child: Child) -> None:
        code = child.exit_code()
        self._bury(child)
        restart = decide_restart(
            self._policy,
            failures=slot.failures,
            uptime_s=child.uptime_s,
            chance=random.random(),  # noqa: S311  jitter
        )
        slot.child = None
        slot.failures = restart.failures
        slot.start_at_s = clock.monotonic_s() + restart.wait_s
        said = last_line(child.log_path)[:_SHOWN_LINE_CHARS]
        self._report(
            f"{slot.spec.name} ended with {in_words(code or 0)} after {child.uptime_s:.1f} s; "
            f"starting it again in {restart.wait_s:.1f} s (failure {restart.failures} in a row; "
            f"log {child.log_path.name}" + (f", last line: {said})" if said else ")")
        )

    def _bury(self, child: Child) -> None:
        child.kill_group()
        self._tell_warden(f"-{child.pid}")

    def _wait_s(self) -> float:
        now_s = clock.monotonic_s()
        due = [slot.start_at_s - now_s for slot in self._slots.values() if slot.child is None]
        return max(0.0, min([_LOOK_S, *due]))

    def _start_warden(self) -> None:
        if self._warden is not None and self._warden.poll() is None:
            return
        self._warden = subprocess.Popen(  # noqa: S603  our own script
            (sys.executable, "-I", "-S", str(_WARDEN), str(self._warden_grace_s)),
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=self._kept_fds,
            start_new_session=True,
        )
        for slot in self._slots.values():
            if slot.child is not None:
                self._tell_warden(f"+{slot.child.pid}")

    def _tell_warden(self, line: str) -> None:
        if self._warden is None or self._warden.stdin is None:
            return
        try:
            self._warden.stdin.write(line + "\n")
            self._warden.stdin.flush()
        except BrokenPipeError:
            self._warden.stdin = None  # it died; the next look starts another with the whole list
