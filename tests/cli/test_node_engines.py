"""A node that runs its own writer's server: started, watched, started again, ended with the node."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storyforge.cli.engine.plan import plan_engines
from storyforge.cli.node_client import NodeClient
from storyforge.cli.node_plan import plan_children
from storyforge.errors import SetupProblem
from storyforge.settings import Settings, WriterSettings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0  # a hang guard


def settings_of(**writer: object) -> Settings:
    return Settings(writer=WriterSettings.model_validate(writer))


def test_without_a_model_or_with_a_url_the_node_runs_no_engine() -> None:
    assert plan_engines(settings_of(), (0,)) is None
    assert plan_engines(settings_of(model="m", url="http://127.0.0.1:1"), (0,)) is None


@pytest.mark.parametrize(
    ("devices", "cards", "expected"),
    [
        ("", (), ["cpu"]),
        ("", (2, 3), ["2"]),
        ("0,2", (0, 1, 2), ["0", "2"]),
        ("cpu", (0,), ["cpu"]),
    ],
)
def test_each_named_device_gets_an_engine(
    devices: str, cards: tuple[int, ...], expected: list[str]
) -> None:
    plan = plan_engines(settings_of(model="m", devices=devices), cards)
    assert plan is not None
    assert list(plan.ports) == expected
    assert len(set(plan.ports.values())) == len(expected)


def test_a_device_that_is_not_there_is_a_set_up_problem() -> None:
    with pytest.raises(SetupProblem, match="names '7'"):
        plan_engines(settings_of(model="m", devices="7"), (0, 1))


def test_writers_learn_of_the_engines_and_nobody_else_gets_their_key() -> None:
    settings = settings_of(model="m", devices="0,1")
    plan = plan_engines(settings, (0, 1))
    assert plan is not None
    children = {child.name: child for child in plan_children(settings, "redis://x", (0, 1), plan)}
    assert children["write"].env["STORYFORGE_WRITER_URL"].count("http://127.0.0.1:") == 2
    assert children["write"].env["STORYFORGE_WRITER_KEY"] == plan.key
    keepers = [child for name, child in children.items() if name.startswith("engine-")]
    assert [child.env["STORYFORGE_WRITER_DEVICES"] for child in keepers] == ["0", "1"]
    holders = [name for name, child in children.items() if plan.key in child.env.values()]
    assert sorted(holders) == ["engine-0", "engine-1", "write"]
    assert not any(plan.key in word for child in children.values() for word in child.argv)
    assert children["engine-0"].stop_order > children["write"].stop_order


class Node:
    """`storyforge up` with a fake vLLM in the place of the real one."""

    def __init__(self, folder: Path) -> None:
        python = folder / "vllm-python"
        script = ROOT / "tests" / "servers" / "fake_vllm.py"
        # vLLM's Python is asked to run a script of ours in isolation: `-I serve.py serve ...`
        python.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{script}" "$@"\n')
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        model = folder / "tiny"
        model.mkdir()
        self.log = folder / "up.log"
        self.data_dir = folder / "data"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "storyforge.cli", "up"),
                    *("--data-dir", str(self.data_dir), "--port", "0"),
                ],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "STORYFORGE_WRITER_MODEL": str(model),
                    "STORYFORGE_WRITER_PYTHON": str(python),
                    "STORYFORGE_WRITER_PROBE_S": "0.2",
                    "STORYFORGE_WRITER_PROBE_DEADLINE_S": "1",
                    "STORYFORGE_JOBS_BACKOFF_S": "0.5",
                    "STORYFORGE_NODE_METRICS": "true",
                    "STORYFORGE_VIDEO_WIDTH": "320",
                    "STORYFORGE_VIDEO_HEIGHT": "180",
                },
            )
        self.client = NodeClient("")

    def wait_ready(self) -> None:
        """Until it says where it is."""
        self.client = NodeClient(self.wait_for("is ready at").split()[4])

    def wait_for(self, words: str) -> str:
        """The first line of the node's own output with these words."""
        found = ""

        def look() -> bool:
            nonlocal found
            lines = self.log.read_text().splitlines()
            found = next((line for line in lines if words in line), "")
            return bool(found)

        until(look, words)
        return found

    def pid_of(self, words: str) -> int:
        """The process of the node whose command line holds these words; 0 for none."""
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except OSError:
                continue
            if words in line and "tether" not in line:
                return pid
        return 0

    def writer(self) -> dict[str, object]:
        """The writer's health check."""
        checks = self.client.get("/health/ready")["checks"]
        return next(check for check in checks if check["name"] == "writer")

    def film(self) -> dict[str, object]:
        """One continuation, to its end."""
        scene = self.client.post("/v1/scenes", {"title": "The lamp"})["id"]
        body = {"text": "A fox found a lantern in the snow.", "targetDuration": 2}
        job = self.client.post(f"/v1/scenes/{scene}/continue", body)["jobId"]
        until(lambda: self.client.get(f"/v1/jobs/{job}")["status"] in ENDS, "the job ends")
        return dict(self.client.get(f"/v1/jobs/{job}"))


ENDS = {"final_ready", "failed", "cancelled"}


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE_S} s in vain: {what}")
        time.sleep(0.1)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path)
    try:
        running.wait_ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(PATIENCE_S)


def test_a_node_keeps_its_writers_server_and_films_with_it(node: Node) -> None:
    until(lambda: "awake" in str(node.writer()["detail"]), "the engine is awake")
    assert node.film()["status"] == "final_ready"

    os.kill(node.pid_of("fake_vllm.py"), signal.SIGSTOP)  # its port still takes connections
    node.wait_for("engine-cpu ended with code 3")
    until(lambda: "awake" in str(node.writer()["detail"]), "it was started again")
    os.kill(node.pid_of("fake_vllm.py"), signal.SIGKILL)
    node.wait_for("engine-cpu ended with code 4")
    job = node.film()  # sent while nobody may answer: it waits
    assert job["status"] == "final_ready", job

    metrics = node.client.read("/metrics").decode()
    assert 'storyforge_engine_state{device="cpu",model="tiny",state="awake"} 1' in metrics
    engine = node.pid_of("fake_vllm.py")
    node.process.terminate()
    assert node.process.wait(PATIENCE_S) == 0
    assert not Path(f"/proc/{engine}").exists()
    key_shown = any("VLLM_API_KEY" in path.read_text() for path in node.data_dir.rglob("*.log"))
    assert not key_shown


def test_a_model_that_is_nowhere_is_said_before_anything_starts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "storyforge.cli", "up", "--data-dir", str(tmp_path), "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, "STORYFORGE_WRITER_MODEL": "no-such-model"},
    )
    assert done.returncode == 1
    assert "neither a folder nor a model of the catalogue" in done.stderr
