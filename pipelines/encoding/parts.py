"""Reads back what the encoder wrote: every part is a sound transport stream, complete, key first.

Our own walk over the packets (ISO/IEC 13818-1) instead of a demuxer: a tenth of the time, and it
sees what a demuxer smooths over, such as a lost packet. The muxer puts one video frame into each
PES packet, so counting PES starts counts frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storyforge.errors import EncodeFailed

AAC_LC = "mp4a.40.2"
PACKET_BYTES = 188
_SYNC = 0x47
_FIRST_STREAM_PID = 0x100  # libavformat's numbering: the video is added first, then the audio
VIDEO_PID, AUDIO_PID = _FIRST_STREAM_PID, _FIRST_STREAM_PID + 1
# Annex B: a start code, then a NAL unit of type 7 (SPS): profile, constraint flags, level.
_SPS = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](...)", re.DOTALL)


@dataclass(frozen=True)
class PartCheck:
    """What one part holds: its size, its frames, and the codecs as RFC 6381 names."""

    bytes: int
    frames: int
    codecs: str


def check_part(path: Path) -> PartCheck:
    """Walk over one part's packets without decoding them.

    Raises EncodeFailed when packets are damaged or lost, when the part does not begin with a key
    frame and its parameter sets, or when it has no sound; OSError when it cannot be read.
    """
    data = path.read_bytes()
    if not data or len(data) % PACKET_BYTES:
        raise _damaged(path, "ends within a packet")
    packets = np.frombuffer(data, np.uint8).reshape(-1, PACKET_BYTES)
    if (packets[:, 0] != _SYNC).any():
        raise _damaged(path, "has lost its packet boundaries")
    pids = (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]
    video, audio = packets[pids == VIDEO_PID], packets[pids == AUDIO_PID]
    if not (_unbroken(video) and _unbroken(audio)):
        raise _damaged(path, "has lost packets")
    starts = _starts(video)
    found = _SPS.search(data)
    if not starts.any() or not starts[0] or not _is_random_access(video[0]) or not found:
        raise _damaged(path, "does not begin with a key frame")
    if not _starts(audio).any():
        raise _damaged(path, "has no sound")
    return PartCheck(len(data), int(starts.sum()), f"avc1.{found[1].hex()},{AAC_LC}")


def _starts(packets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which packets begin a PES packet (payload_unit_start_indicator)."""
    indicator: NDArray[np.bool_] = (packets[:, 1] & 0x40) != 0
    return indicator


def _unbroken(packets: NDArray[np.uint8]) -> bool:
    """Whether the continuity counters of one PID follow each other (all have payload)."""
    payload = packets[(packets[:, 3] & 0x10) != 0]
    counters = payload[:, 3] & 0x0F
    return bool(((counters[1:] - counters[:-1]) & 0x0F == 1).all())


def _is_random_access(packet: NDArray[np.uint8]) -> bool:
    """Whether the packet's adaptation field says that decoding can begin here."""
    has_adaptation = bool(packet[3] & 0x20) and packet[4] > 0
    return bool(has_adaptation and packet[5] & 0x40)


def _damaged(path: Path, what: str) -> EncodeFailed:
    return EncodeFailed(f"The encoded part {path.name} {what}; encode the segment again.")
