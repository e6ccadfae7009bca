"""Log files of the children, kept under a size by copying away and truncating.

The children hold their files open for appending, so a file is copied to `NAME.log.1` and cut to
nothing instead of being renamed. Lines written between the copy and the cut are lost; that is
a moment in many megabytes, and it needs no pipe that could block a child.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LOG_LIMIT_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 4096


def open_log(path: Path) -> int:
    """A file descriptor for appending; the caller closes it after the child has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def keep_bounded(path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> bool:
    """Move a grown log to `.1` (the older `.1` is dropped); True when it was moved."""
    if not path.exists() or path.stat().st_size <= limit_bytes:
        return False
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    os.truncate(path, 0)
    return True


def last_line(path: Path) -> str:
    """The last line that is not empty, for a message; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
