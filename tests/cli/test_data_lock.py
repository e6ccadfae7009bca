"""One node works in a data directory at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storyforge.cli.data_lock import NodeRecord, hold_data_dir, running_node
from storyforge.errors import SetupProblem

HOLDER = """
import sys, time
from pathlib import Path
from storyforge.cli.data_lock import NodeRecord, hold_data_dir
import os
with hold_data_dir(Path(sys.argv[1])) as held:
    held.publish(NodeRecord(os.getpid(), "http://127.0.0.1:1"))
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_node(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == "held\n"
    return process


def test_a_second_node_is_refused_and_told_which_one_is_there(
    tmp_path: Path, other_node: subprocess.Popen[str]
) -> None:
    try:
        assert running_node(tmp_path) == NodeRecord(other_node.pid, "http://127.0.0.1:1")
        with (
            pytest.raises(SetupProblem, match=rf"process {other_node.pid}.*--data-dir"),
            hold_data_dir(tmp_path),
        ):
            pytest.fail("two nodes in one directory")
    finally:
        other_node.kill()
        other_node.wait()


def test_the_directory_is_free_again_when_its_node_was_killed(
    tmp_path: Path, other_node: subprocess.Popen[str]
) -> None:
    other_node.kill()
    other_node.wait()
    assert running_node(tmp_path) is None
    with hold_data_dir(tmp_path) as held:
        held.publish(NodeRecord(os.getpid(), "http://127.0.0.1:2"))
        assert running_node(tmp_path) == NodeRecord(os.getpid(), "http://127.0.0.1:2")
    assert running_node(tmp_path) is None


def test_a_lock_that_a_dead_nodes_warden_still_holds_is_waited_for(tmp_path: Path) -> None:
    with hold_data_dir(tmp_path) as held:
        held.publish(NodeRecord(_pid_of_nobody(), "http://127.0.0.1:1"))
        assert running_node(tmp_path) is None
        with (
            pytest.raises(SetupProblem, match="earlier node"),
            hold_data_dir(tmp_path, wait_s=0.3),
        ):
            pytest.fail("two nodes in one directory")


def test_a_directory_that_cannot_be_made_is_a_clear_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(SetupProblem, match="STORYFORGE_NODE_DATA_DIR"),
        hold_data_dir(tmp_path / "file" / "data"),
    ):
        pytest.fail("a directory inside a file")


def _pid_of_nobody() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
