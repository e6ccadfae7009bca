"""The real node by its command: it gets ready, ends in order, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from storyforge.cli.node_client import NodeClient

PATIENCE_S = 120.0  # a hang guard on a busy machine, not an expectation
# Small and short: these tests are about processes, not pictures.
SMALL = {"STORYFORGE_VIDEO_WIDTH": "320", "STORYFORGE_VIDEO_HEIGHT": "180"}


@dataclass
class Node:
    """`storyforge up` with what it has said so far."""

    data_dir: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def line_with(self, part: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if part in line:
                return line.strip()
        pytest.fail(f"the node ended without saying {part!r}: {self.lines}")

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        self.lines += [line.strip() for line in self.process.stdout]
        return self.process.wait(PATIENCE_S)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "storyforge.cli", *arguments]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[[], Node]]:
    nodes: list[Node] = []

    def start() -> Node:
        data_dir = tmp_path / "data"
        process = subprocess.Popen(
            command("up", "--data-dir", str(data_dir), "--port", "0"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **SMALL},
        )
        nodes.append(Node(data_dir, process))
        return nodes[-1]

    yield start
    for node in nodes:
        if node.process.poll() is None:
            node.process.terminate()
            node.process.wait(PATIENCE_S)
        if node.process.stdout is not None:
            node.process.stdout.close()


def processes_of(node: Node) -> dict[int, str]:
    """The node and everything below it: process ids with their command lines."""
    found: dict[int, str] = {}
    waiting = [node.process.pid]
    while waiting:
        pid = waiting.pop()
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except OSError:
            continue
        found[pid] = words.decode(errors="replace")
    return found


def pid_of(node: Node, word: str) -> int:
    return next(pid for pid, words in processes_of(node).items() if word in words)


def alive(pids: Iterable[int]) -> set[int]:
    return {pid for pid in pids if _state_of(pid) not in {"", "Z"}}


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE_S} s in vain: {what}")
        time.sleep(0.1)


def test_the_node_gets_ready_refuses_a_twin_and_ends_in_order(up: Callable[[], Node]) -> None:
    node = up()
    url = node.line_with("StoryForge is ready at").split()[4]
    assert NodeClient(url).is_ready()

    twin = subprocess.run(
        command("up", "--data-dir", str(node.data_dir), "--port", "0"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert twin.returncode == 1
    assert twin.stderr.startswith(f"storyforge: Another node (process {node.process.pid}, {url})")
    assert twin.stderr.count("\n") == 1

    processes = processes_of(node)
    assert len(processes) > 6
    assert node.end() == 0
    assert node.lines[-1] == "StoryForge has ended."
    assert not any("did not end within" in line for line in node.lines)
    wait_until(lambda: not alive(processes), "no process of the node")


def test_nothing_of_a_killed_node_survives_and_the_next_one_starts_at_once(
    up: Callable[[], Node],
) -> None:
    node = up()
    node.line_with("StoryForge is ready at")
    processes = processes_of(node)
    node.process.kill()
    node.process.wait(PATIENCE_S)
    following = up()  # it waits for the lock that the warden still holds
    following.line_with("StoryForge is ready at")
    assert not alive(processes)
    assert following.end() == 0


def test_a_killed_broker_comes_back_and_the_node_films_on(up: Callable[[], Node]) -> None:
    node = up()
    client = NodeClient(node.line_with("StoryForge is ready at").split()[4])
    os.kill(pid_of(node, "valkey-server"), signal.SIGKILL)
    node.line_with("broker ended with signal SIGKILL")
    scene_id = client.post("/v1/scenes", {"title": "After the broker"})["id"]
    body = {"text": "A fox found a lantern in the snow.", "targetDuration": 2}
    job_id = client.post(f"/v1/scenes/{scene_id}/continue", body)["jobId"]
    wait_until(
        lambda: client.get(f"/v1/jobs/{job_id}")["status"] == "final_ready", "the film is ready"
    )


def test_a_text_from_standard_input_becomes_a_film_that_opens(tmp_path: Path) -> None:
    film = tmp_path / "fox.mp4"
    done = subprocess.run(
        command("film", "-", "-o", str(film), "--seconds", "2", "--style", "noir"),
        input="A fox found a lantern in the snow.",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, **SMALL, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(film)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == 2 * 24
    assert [path.name for path in tmp_path.iterdir()] == ["fox.mp4"]


def test_a_style_that_nobody_knows_is_the_nodes_own_clear_refusal(tmp_path: Path) -> None:
    done = subprocess.run(
        command("film", "A fox.", "-o", str(tmp_path / "fox.mp4"), "--style", "rubbish"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("storyforge: ")
    assert "rubbish" in done.stderr
    assert list(tmp_path.iterdir()) == []
