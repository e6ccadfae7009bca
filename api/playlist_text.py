"""A growing playlist kept as bytes: plain and gzipped, each new segment only appended.

Both forms stay prefixes of themselves, so that a scene of 10,000 segments is built once and
afterwards costs what its newest segment costs.
"""

from __future__ import annotations

import zlib

_GZIP_WBITS = 31  # zlib's number for a gzip header with the largest window
_LEVEL = 6


class GrowingText:
    """Text that only grows; `ends[n]` is its length in bytes after n blocks."""

    def __init__(self, header: str) -> None:
        self._plain = bytearray()
        self._packed = bytearray()
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
        self.ends: list[int] = []
        self.append((header,))

    @property
    def size_bytes(self) -> int:
        """What both forms hold in memory."""
        return len(self._plain) + len(self._packed)

    def append(self, blocks: tuple[str, ...] | list[str]) -> None:
        """Add blocks at the end."""
        start = len(self._plain)
        for block in blocks:
            self._plain += block.encode()
            self.ends.append(len(self._plain))
        # a sync flush ends on a byte, so that what is packed already never changes
        self._packed += self._packer.compress(memoryview(self._plain)[start:].tobytes())
        self._packed += self._packer.flush(zlib.Z_SYNC_FLUSH)

    def plain(self, blocks: int) -> bytes:
        """The header and the first blocks, UTF-8."""
        return bytes(memoryview(self._plain)[: self.ends[blocks]])

    def gzipped(self, blocks: int) -> bytes:
        """The same as one gzip member; free of cost for all blocks, packed anew for fewer."""
        if blocks + 1 < len(self.ends):
            return pack(self.plain(blocks))
        return bytes(self._packed) + self._packer.copy().flush(zlib.Z_FINISH)

    def body(self, blocks: int) -> bytes:
        """The first blocks without the header."""
        return bytes(memoryview(self._plain)[self.ends[0] : self.ends[blocks]])


def pack(text: bytes) -> bytes:
    """A text as one gzip member without a time in it: the same text gives the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
    return packer.compress(text) + packer.flush()
