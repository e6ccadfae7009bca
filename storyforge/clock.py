"""The only place that reads time.

Wall time is for people; durations use the monotonic clock. Leases use neither: they are judged
by the database's clock (see storyforge/database/lease_clock.py).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Wall time, timezone-aware, in UTC."""
    return datetime.now(tz=UTC)


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean something."""
    return time.monotonic()


def sleep_s(seconds: float) -> None:
    """Pause the calling thread."""
    time.sleep(seconds)
