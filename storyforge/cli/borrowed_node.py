"""A node to work with: the one that runs already, or one of our own for as long as it is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storyforge import clock
from storyforge.cli.data_lock import running_node
from storyforge.cli.node_client import NodeClient
from storyforge.cli.supervisor.child_logs import last_line, open_log
from storyforge.errors import SetupProblem

_READY_WAIT_S = 120.0  # a slow disk and two busy cores; normally a few seconds
_END_WAIT_S = 60.0  # longer than the supervisor's own graces together
_POLL_S = 0.25
_TETHER = Path(__file__).parent / "supervisor" / "tether.py"


@contextmanager
def borrow_node(data_dir: Path, port: int) -> Iterator[NodeClient]:
    """A ready node that works in `data_dir`; one that we start ends with the block.

    port: for a node that we start; 0: any free one. Raises SetupProblem when it does not get
    ready.
    """
    record = running_node(data_dir)
    if record is not None and record.url:
        yield NodeClient(record.url)
        return
    process, log_path = _start(data_dir, port)
    try:
        yield _wait_ready(process, data_dir, log_path)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()  # its warden ends the children
            process.wait()


def _start(data_dir: Path, port: int) -> tuple[subprocess.Popen[bytes], Path]:
    log_path = data_dir / "logs" / "node.log"
    log = open_log(log_path)
    node = ("-m", "storyforge.cli", "up", "--data-dir", str(data_dir), "--port", str(port))
    try:
        process = subprocess.Popen(  # noqa: S603  our own command
            (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), sys.executable, *node),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end the node in order
        )
    finally:
        os.close(log)
    return process, log_path


def _wait_ready(process: subprocess.Popen[bytes], data_dir: Path, log_path: Path) -> NodeClient:
    deadline_s = clock.monotonic_s() + _READY_WAIT_S
    while clock.monotonic_s() < deadline_s:
        if process.poll() is not None:
            said = last_line(log_path).removeprefix("storyforge: ")
            raise SetupProblem(said or f"The node ended at once; see {log_path}.")
        record = running_node(data_dir)
        if record is not None and record.pid == process.pid and record.url:
            client = NodeClient(record.url)
            if client.is_ready():
                return client
        clock.sleep_s(_POLL_S)
    raise SetupProblem(
        f"The node was not ready within {_READY_WAIT_S:.0f} s; the logs are in {log_path.parent}. "
        f"It said last: {last_line(log_path)}"
    )
