"""UUIDv7 ids: sortable by creation time (RFC 9562, section 5.7)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID

from storyforge import clock

_RANDOM_BITS = 74


def uuid7(at: datetime | None = None) -> UUID:
    """Mint an id whose first 48 bits are the milliseconds since 1970 of `at` (default: now)."""
    moment = at or clock.utc_now()
    random = secrets.randbits(_RANDOM_BITS)
    return _pack(int(moment.timestamp() * 1000), random >> 62, random & ((1 << 62) - 1))


def uuid7_floor(at: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond: a partition boundary."""
    return _pack(int(at.timestamp() * 1000), 0, 0)


def created_at(identifier: UUID) -> datetime:
    """The creation time carried by a UUIDv7."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def _pack(milliseconds: int, rand_a: int, rand_b: int) -> UUID:
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return UUID(int=value)
