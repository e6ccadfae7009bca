"""Keeps one engine: starts vLLM, asks it for a token again and again, ends when it is not well.

`python -m storyforge.cli.engine.keeper --port N`, a child of the supervisor, which starts it again
with backoff. vLLM is in the keeper's process group, so it never outlives the keeper's end.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from inference.language.engine.control import VllmControl
from inference.language.engine.figures import shown_figures
from inference.language.engine.health import EngineState, Look, Pulse, judge
from inference.language.engine.launch import CPU, EngineLaunch
from storyforge import clock
from storyforge.cli.engine.launching import launch_engine
from storyforge.database.engine import Database, open_database
from storyforge.database.workers import ENGINE_ROLE, WorkerRecord, beat_worker
from storyforge.errors import SetupProblem, StoryForgeError, Unavailable
from storyforge.settings import Settings, load_settings
from storyforge.telemetry import set_up_logging

_log = structlog.get_logger(__name__)
_TETHER = Path(__file__).parents[1] / "supervisor" / "tether.py"
_POLL_S = 1.0
_ROUTE_S = 2.0  # a route that only tells something takes milliseconds
_STARTING_BEAT_S = 10.0
_END_S = 10.0  # it was measured to end within 3 s
HUNG_CODE, GONE_CODE, SETUP_CODE = 3, 4, 2


class _Ended(Exception):
    """SIGTERM: the node ends."""


@dataclass
class Keeper:
    """One engine and its row. tell: writes the row; losing one write changes nothing."""

    launch: EngineLaunch
    settings: Settings
    tell: Callable[[Pulse, dict[str, Any]], None]
    process: subprocess.Popen[bytes] | None = None
    pulse: Pulse = field(default_factory=lambda: Pulse(EngineState.STARTING, clock.monotonic_s()))

    @property
    def control(self) -> VllmControl:
        """The running engine."""
        return VllmControl(self.launch.url, self.launch.key, timeout_s=_ROUTE_S)

    def keep(self) -> int:
        """Until it is not well; gives the exit code that says why."""
        with _one_at_a_time(self.launch.home.parent):
            self._start()
            code = self._await_first_token()
        while code is None:
            clock.sleep_s(self.settings.writer.probe_s)
            code = self._look()
        return code  # the supervisor kills the group at once; a hung engine hears nothing else

    def _start(self) -> None:
        self.launch.make_folders()
        own = {name: value for name, value in os.environ.items() if _is_for_vllm(name)}
        self.process = subprocess.Popen(  # noqa: S603  our own command line
            (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *self.launch.argv),
            stdin=subprocess.DEVNULL,
            env={**own, **self.launch.environment},
        )
        _log.info("starting", model=self.launch.name, device=self.launch.device)

    def _await_first_token(self) -> int | None:
        """Exit code when it does not come to life in `start_s`, which covers a large model's load."""
        until_s = clock.monotonic_s() + self.settings.writer.start_s
        told_s = float("-inf")
        while clock.monotonic_s() < until_s:
            if self._is_gone():
                return GONE_CODE
            if clock.monotonic_s() - told_s > _STARTING_BEAT_S:
                self.tell(self.pulse, {})
                told_s = clock.monotonic_s()
            with suppress(Unavailable):
                self.control.generate_one_token(self.launch.name, timeout_s=5.0)
                self.pulse = Pulse(EngineState.AWAKE, clock.monotonic_s())
                self.tell(self.pulse, self._figures())
                _log.info("awake", model=self.launch.name, url=self.launch.url)
                return None
            clock.sleep_s(_POLL_S)
        _log.error("not alive in time", start_s=self.settings.writer.start_s)
        return HUNG_CODE

    def _look(self) -> int | None:
        """One look; an exit code when it is not well."""
        if self._is_gone():
            return GONE_CODE
        deadline_s = self.settings.writer.probe_deadline_s
        figures = self._figures()
        look = Look(*self._probe(), figures.get("vllm:generation_tokens_total"))
        self.pulse = judge(self.pulse, look, clock.monotonic_s(), deadline_s)
        self.tell(self.pulse, figures)
        if self.pulse.state is EngineState.HUNG:
            _log.error("hung: no token came in time; it is ended", deadline_s=deadline_s)
            return HUNG_CODE
        return None

    def _probe(self) -> tuple[bool, bool | None]:
        """Whether a token came, and whether it sleeps (None: it did not say)."""
        try:
            if self.control.is_sleeping():
                return False, True
        except Unavailable:
            return False, None
        try:
            self.control.generate_one_token(self.launch.name, self.settings.writer.probe_deadline_s)
        except Unavailable:
            return False, False
        return True, False

    def _figures(self) -> dict[str, float]:
        try:
            return dict(shown_figures(self.control.figures()))
        except Unavailable:
            return {}

    def _is_gone(self) -> bool:
        assert self.process is not None
        code = self.process.poll()
        if code is not None:
            _log.error("vLLM ended", code=code)
        return code is not None

    def end(self) -> None:
        """Ask it to end; the supervisor kills what is left of the whole group."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)


def main() -> None:
    """Keep the engine that the settings and arguments describe."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name if __spec__ else __name__}")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    settings = load_settings()
    device = settings.writer.devices or CPU
    set_up_logging(settings.node.log_level, role=f"engine-{device}")
    signal.signal(signal.SIGTERM, _stop)
    try:
        launch = launch_engine(settings, device, arguments.port)
    except StoryForgeError as exc:
        sys.stderr.write(f"storyforge engine: {exc.detail}\n")
        sys.exit(SETUP_CODE)
    database = open_database(settings.database_url, settings.database)
    keeper = Keeper(launch, settings, _teller(database, settings, launch))
    try:
        sys.exit(keeper.keep())
    except _Ended:
        keeper.end()
        sys.exit(0)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Ended


def _teller(
    database: Database, settings: Settings, launch: EngineLaunch
) -> Callable[[Pulse, dict[str, Any]], None]:
    name = f"engine-{launch.device}@{socket.gethostname()}:{os.getpid()}"
    ttl_s = 3 * (settings.writer.probe_s + settings.writer.probe_deadline_s) + _STARTING_BEAT_S

    def tell(pulse: Pulse, figures: dict[str, Any]) -> None:
        info = {
            "device": launch.device,
            "model": launch.name,
            "url": launch.url,
            "state": pulse.state.value,
            "figures": figures,
        }
        record = WorkerRecord(name=name, role=ENGINE_ROLE, pid=os.getpid(), info=info)
        try:
            database.write(lambda c: beat_worker(c, database.clock, record, ttl_s=ttl_s))
        except (Unavailable, SetupProblem) as exc:
            _log.warning("the row was not written", error=exc.detail)

    return tell


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Engines that start together misjudge each other's memory, so they start in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_for_vllm(name: str) -> bool:
    """Nothing of ours, above all no secret of another part of the node."""
    return not name.startswith(("STORYFORGE_", "PYTHON", "HF_TOKEN", "AWS_"))


if __name__ == "__main__":
    main()
