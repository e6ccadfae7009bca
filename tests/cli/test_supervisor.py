"""The supervisor with real processes: restarts, ordered ends, and nothing that outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("supervisor_program.py")
PATIENCE_S = 30.0  # a hang guard on a busy machine, not an expectation

SLEEPER = "import time; time.sleep(600)"
CRASHER = "import sys; sys.exit('cannot read the weights')"


class Running:
    """A supervisor program, its lines so far and its children's pids."""

    def __init__(self, logs_dir: Path, children: list[dict[str, Any]]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(logs_dir), json.dumps(children)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []

    def line_with(self, part: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if part in line:
                return line.strip()
        pytest.fail(f"the supervisor ended without saying {part!r}: {self.lines}")

    def pid_of(self, name: str) -> int:
        return int(self.line_with(f"started {name}").split()[-1])

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        self.lines += [line.strip() for line in self.process.stdout]
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*children: dict[str, Any]) -> Running:
        started.append(Running(tmp_path / "logs", list(children)))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(PATIENCE_S)
        if one.process.stdout is not None:
            one.process.stdout.close()


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE_S} s in vain: {what}")
        time.sleep(0.02)


def pids_in(path: Path, count: int) -> list[int]:
    wait_until(
        lambda: path.exists() and len(path.read_text().split()) >= count, f"{count} pids in {path}"
    )
    return [int(word) for word in path.read_text().split()]


def noting(path: Path, then: str) -> str:
    """Python that adds its pid to a file, then goes on."""
    return f"import os; open({str(path)!r}, 'a').write(f'{{os.getpid()}}\\n'); {then}"


def parent_of(path: Path, code: str) -> str:
    """Python that adds its pid to a file and runs `code` as a child of its own."""
    run_it = f"subprocess.run([sys.executable, '-c', {code!r}])"
    return noting(path, f"import subprocess, sys; {run_it}")


def test_a_child_that_dies_is_started_again_and_said_so_in_one_line(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    node = run({"name": "film", "code": noting(tmp_path / "pids", SLEEPER)})
    first = pids_in(tmp_path / "pids", 1)[0]
    os.kill(first, signal.SIGKILL)
    line = node.line_with("film ended")
    assert "signal SIGKILL" in line
    assert "starting it again in" in line
    second = pids_in(tmp_path / "pids", 2)[1]
    assert second != first
    assert is_alive(second)
    assert node.end() == 0


def test_the_line_carries_the_last_words_of_the_child(run: Callable[..., Running]) -> None:
    node = run({"name": "film", "code": CRASHER})
    assert "last line: cannot read the weights" in node.line_with("film ended")


def test_a_crash_loop_backs_off(run: Callable[..., Running]) -> None:
    node = run({"name": "film", "code": CRASHER})
    lines = [node.line_with("film ended") for _ in range(4)]
    waits_s = [float(line.split("again in ")[1].split(" s")[0]) for line in lines]
    assert waits_s[0] < waits_s[1] < waits_s[2] < waits_s[3]
    assert "failure 4 in a row" in lines[3]
    assert node.end() == 0


def test_sigterm_ends_every_child_in_the_given_order(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    ends = tmp_path / "ends"
    told = (
        "import signal, sys, time, pathlib; end = pathlib.Path({0!r});"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep({2}), "
        "end.open('a').write({1!r} + chr(10)), sys.exit(0)));"
        "pathlib.Path({0!r} + '.' + {1!r}).touch(); time.sleep(600)"
    )
    names = {"broker": (9, 0), "worker": (1, 0.2), "api": (0, 0.4)}
    node = run(
        *(
            {"name": name, "stopOrder": order, "code": told.format(str(ends), name, wait)}
            for name, (order, wait) in names.items()
        )
    )
    pids = [node.pid_of(name) for name in names]
    wait_until(lambda: all(Path(f"{ends}.{name}").exists() for name in names), "children ready")
    assert node.end() == 0
    assert ends.read_text().split() == ["api", "worker", "broker"]
    assert not any(is_alive(pid) for pid in pids)
    assert node.lines[-1] == "ended"


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
    node = run({"name": "film", "graceS": 0.3, "code": noting(tmp_path / "pids", deaf)})
    pid = pids_in(tmp_path / "pids", 1)[0]
    wait_until(lambda: _ignores_sigterm(pid), "the child to turn deaf")
    assert node.end() == 0
    assert any("film did not end within" in line for line in node.lines)
    assert not is_alive(pid)


def test_a_grandchild_does_not_outlive_its_dead_parent(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    node = run({"name": "film", "code": parent_of(pids, noting(pids, SLEEPER))})
    first, grandchild = pids_in(pids, 2)[:2]
    os.kill(first, signal.SIGKILL)
    node.line_with("film ended")
    wait_until(lambda: not is_alive(grandchild), "the grandchild's end")
    assert node.end() == 0


def test_nothing_survives_a_killed_supervisor(run: Callable[..., Running], tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
    node = run(
        {"name": "broker", "code": noting(pids, SLEEPER)},
        {"name": "film", "code": parent_of(pids, noting(pids, deaf))},
    )
    alive = pids_in(pids, 3)
    node.process.kill()
    node.process.wait(PATIENCE_S)
    wait_until(lambda: not any(is_alive(pid) for pid in alive), "the children's end")


def test_nothing_survives_when_supervisor_and_warden_are_killed_together(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    node = run({"name": "broker", "code": noting(tmp_path / "pids", SLEEPER)})
    child = pids_in(tmp_path / "pids", 1)[0]
    for pid in _children_of(node.process.pid):
        if "warden.py" in Path(f"/proc/{pid}/cmdline").read_text():
            os.kill(pid, signal.SIGKILL)
    node.process.kill()
    node.process.wait(PATIENCE_S)
    wait_until(lambda: not is_alive(child), "the child's end by its tether")


def _children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) & (1 << (signal.SIGTERM - 1)))
