"""Byte ranges of an object, as in RFC 9110 section 14.1.2 (one range, unit bytes)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storyforge.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Part of an object: `first` to `last`, both included.

    last None: to the end. first None: the final `last` bytes.
    """

    first: int | None
    last: int | None = None

    @property
    def header(self) -> str:
        """The value of an HTTP Range header."""
        first = "" if self.first is None else self.first
        return f"bytes={first}-{'' if self.last is None else self.last}"

    def resolve(self, size_bytes: int) -> tuple[int, int]:
        """The first byte and the length within an object of `size_bytes`.

        Raises `RangeNotSatisfiable` when no byte of the object is in the range.
        """
        if self.first is None:
            length = min(self.last or 0, size_bytes)
            first = size_bytes - length
        else:
            first = self.first
            end = size_bytes if self.last is None else min(self.last + 1, size_bytes)
            length = end - first
        if length <= 0:
            raise RangeNotSatisfiable(
                f"The range {self.header} has no byte of an object of {size_bytes} bytes.",
                size_bytes,
            )
        return first, length


def parse_range(header: str | None) -> ByteRange | None:
    """Read a Range header; None (serve the whole) when absent, malformed or of several ranges.

    A server may ignore Range (RFC 9110, 14.2), so that what we do not understand is ignored.
    """
    match = _RANGE.fullmatch(header) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return ByteRange(first, last)
