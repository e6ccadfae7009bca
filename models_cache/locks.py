"""Locks between processes, and pins that say who holds a model; the kernel releases the dead's."""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from storyforge.errors import DiskFull, SetupProblem


@contextmanager
def locked(
    path: Path, *, shared: bool = False, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock file while inside; waits for whoever has it. on_wait: called before that.

    A store on a read-only mount is read without the shared lock.
    """
    if shared and _is_read_only(path):
        yield
        return
    lock = _opened(path)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        if not _try_lock(lock, kind):
            on_wait()
            fcntl.flock(lock, kind)
        yield
    finally:
        os.close(lock)


class Pin:
    """A model is in use as long as this is not released and its process lives."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock: int | None = lock

    def release(self) -> None:
        """Give the model free; safe to call twice."""
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def pin(folder: Path) -> Pin:
    """Pin the model of this folder for the calling process."""
    path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lock = _opened(path)
    fcntl.flock(lock, fcntl.LOCK_EX)  # nobody else knows the file
    return Pin(path, lock)


def holders(folder: Path) -> list[int]:
    """The processes that hold pins; what dead ones left is cleared away.

    Only call it under the store's lock: between a pin's file and its lock lies a moment.
    """
    alive = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue  # released in this moment
        try:
            if _try_lock(lock, fcntl.LOCK_EX):
                path.unlink(missing_ok=True)
            else:
                alive.append(int(path.name.split("-")[0]))
        finally:
            os.close(lock)
    return alive


def _is_read_only(path: Path) -> bool:
    folder = next(one for one in path.parents if one.exists())
    return not os.access(folder, os.W_OK)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise write_problem(exc) from exc


def write_problem(exc: OSError) -> DiskFull | SetupProblem:
    """The error to raise when the store's folder cannot be written."""
    if is_full(exc):
        return DiskFull("The disk of the model store is full; free some space and try again.")
    return SetupProblem(
        f"The model store cannot be written ({exc.strerror}); choose another folder with "
        "STORYFORGE_MODELS_ROOT, or change its owner."
    )


def is_full(exc: BaseException) -> bool:
    """Whether a disk or a quota ran out."""
    return isinstance(exc, OSError) and exc.errno in {errno.ENOSPC, errno.EDQUOT}


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
