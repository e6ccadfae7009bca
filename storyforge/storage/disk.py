"""Durable file operations: what the filesystem store does to the disk, and what its errors mean."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storyforge.errors import DiskFull, StorageDenied, StoreUnreachable

# EFBIG: the process's file size limit; to the caller it is the same as a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# ELOOP is what O_NOFOLLOW answers to a symbolic link.
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP})
_FULL_RETRY_S = 60.0  # somebody has to make room; asking every second helps nobody


@contextlib.contextmanager
def store_errors(action: str) -> Iterator[None]:
    """Turn an OSError of the body into the taxonomy; `action` reads "store object a/b"."""
    try:
        yield
    except OSError as exc:
        reason = errno.errorcode.get(exc.errno or 0, "unknown error")
        if exc.errno in _FULL:
            raise DiskFull(
                f"No room on the local disk to {action} ({reason}); free some space, then it "
                "goes on by itself.",
                _FULL_RETRY_S,
            ) from exc
        if exc.errno in _DENIED:
            raise StorageDenied(
                f"Not allowed to {action} on the local disk ({reason}); check the owner and mode "
                "of the data directory, and that there are no symbolic links inside it."
            ) from exc
        raise StoreUnreachable(
            f"The local disk failed to {action} ({reason}); check the disk and the data directory."
        ) from exc


def sync_file(file: IO[bytes]) -> None:
    """Bring a written file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(directory: Path) -> None:
    """Make a directory and its parents so that they survive a power cut."""
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for new in reversed(missing):
        # Not mkdir(exist_ok=True): that fails when a delete prunes the directory just then.
        with contextlib.suppress(FileExistsError):
            new.mkdir()
        sync_directory(new.parent)


def remove_empty_directories(directory: Path, stop: Path) -> None:
    """Remove a directory and its parents below `stop`, as far as they are empty."""
    while directory != stop:
        try:
            directory.rmdir()
        except FileNotFoundError:
            pass
        except OSError as exc:
            if exc.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return
            raise
        directory = directory.parent


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file against all other threads and processes of this host."""
    # Opened anew each time: flock belongs to the open file, so that threads exclude each other.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def open_without_links(path: Path) -> IO[bytes]:
    """Open a regular file for reading; a symbolic link in its place is refused (ELOOP)."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def unlink_older(path: Path, before: float) -> bool:
    """Remove a file last written up to `before` (POSIX seconds); tells whether it did."""
    try:
        if path.lstat().st_mtime > before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True
