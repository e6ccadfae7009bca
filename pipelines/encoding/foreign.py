"""The border to the media libraries and the disk: their errors become ours here."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import av
import cv2

from storyforge.errors import DiskFull, EncodeFailed, StoryForgeError

FOREIGN = (av.FFmpegError, OSError, cv2.error)
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def as_ours(exc: BaseException) -> BaseException:
    """The taxonomy's error for a foreign one, caused by it; anything else as it is."""
    if not isinstance(exc, FOREIGN):
        return exc
    mapped: StoryForgeError
    if getattr(exc, "errno", None) in _NO_SPACE:
        mapped = DiskFull("The disk became full while encoding; free space and the job goes on.")
    else:
        # strerror, not str(): the latter names host paths
        reason = getattr(exc, "strerror", None) or type(exc).__name__
        mapped = EncodeFailed(f"The encoder stopped: {reason}.")
    mapped.__cause__ = exc
    return mapped


@contextmanager
def border() -> Iterator[None]:
    """Let only our errors, and bugs, out of the block."""
    try:
        yield
    except FOREIGN as exc:
        raise as_ours(exc) from exc
