"""The lock on a data directory: one node works there at a time, and says where it listens."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from storyforge import clock
from storyforge.errors import SetupProblem

_LOCK_NAME = "node.lock"
_POLL_S = 0.1


@dataclass(frozen=True)
class NodeRecord:
    """Written into the lock file by the node that holds it."""

    pid: int
    url: str


@dataclass(frozen=True)
class HeldDataDir:
    """The directory is ours while this is in use; `lock_fd` is the lock's file descriptor."""

    lock_fd: int

    def publish(self, record: NodeRecord) -> None:
        """Say who holds it."""
        os.ftruncate(self.lock_fd, 0)
        os.pwrite(self.lock_fd, json.dumps(asdict(record)).encode(), 0)


@contextmanager
def hold_data_dir(data_dir: Path, wait_s: float = 10.0) -> Iterator[HeldDataDir]:
    """Hold the directory while inside.

    wait_s: patience with a lock whose node is dead: its warden is still ending the children.
    Raises SetupProblem when another node works there, or the directory cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(data_dir / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise SetupProblem(
            f"The data directory {data_dir} cannot be used: {exc.strerror}. Choose another with "
            "--data-dir or STORYFORGE_NODE_DATA_DIR."
        ) from exc
    try:
        _take(lock, data_dir, wait_s)
        held = HeldDataDir(lock)
        held.publish(NodeRecord(os.getpid(), ""))
        yield held
    finally:
        os.close(lock)


def running_node(data_dir: Path) -> NodeRecord | None:
    """The node that holds the directory now; None when there is none."""
    path = data_dir / _LOCK_NAME
    if not path.exists():
        return None
    lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _try_lock(lock, fcntl.LOCK_SH):
            return None
        record = _read_record(lock)
        # a dead node's warden may still hold the lock for a moment
        return record if record is not None and _is_alive(record.pid) else None
    finally:
        os.close(lock)


def _take(lock: int, data_dir: Path, wait_s: float) -> None:
    deadline_s = clock.monotonic_s() + wait_s
    while not _try_lock(lock, fcntl.LOCK_EX):
        record = _read_record(lock)
        if record is not None and _is_alive(record.pid):
            raise SetupProblem(
                f"Another node (process {record.pid}, {record.url or 'starting'}) works in {data_dir}. "
                "Use it, end it, or choose another directory with --data-dir."
            )
        if clock.monotonic_s() > deadline_s:
            raise SetupProblem(
                f"{data_dir} is still held by what is left of an earlier node. "
                "Wait a moment, or choose another directory with --data-dir."
            )
        clock.sleep_s(_POLL_S)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_record(lock: int) -> NodeRecord | None:
    try:
        fields = json.loads(os.pread(lock, 4096, 0))
        return NodeRecord(pid=int(fields["pid"]), url=str(fields["url"]))
    except (ValueError, KeyError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
