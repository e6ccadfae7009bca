"""Numbers of bytes for people."""

from __future__ import annotations

_STEP = 1000  # decimal, as cards, disks and downloads are sold


def in_words(count: int) -> str:
    """E.g. 34.2 GB."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < _STEP:
            return f"{size:.0f} {unit}"
        size /= _STEP
    return f"{size:.1f} GB"
