"""Reads back what the encoder wrote: every part opens, starts with a key frame and is complete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import av

from storyforge.errors import EncodeFailed

AAC_LC = "mp4a.40.2"
# Annex B: a start code, then a NAL unit of type 7 (SPS): profile, constraint flags, level.
_SPS = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](...)", re.DOTALL)


@dataclass(frozen=True)
class PartCheck:
    """What one part holds: its frames, and the codecs as RFC 6381 names."""

    frames: int
    codecs: str


def check_part(path: Path) -> PartCheck:
    """Demux one part without decoding it.

    Raises EncodeFailed when it does not open, does not begin with a key frame or has no sound.
    """
    try:
        with av.open(str(path), "r", format="mpegts") as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            frames, sound, codecs = 0, 0, ""
            for packet in container.demux(video, audio):
                if packet.size == 0:
                    continue
                if packet.stream is audio:
                    sound += 1
                    continue
                if not frames:
                    codecs = _codecs(bytes(packet)) if packet.is_keyframe else ""
                frames += 1
    except (av.FFmpegError, IndexError) as exc:
        raise EncodeFailed(f"The encoded part {path.name} does not open.") from exc
    if not codecs or not sound:
        missing = "sound" if codecs else "a key frame at its start"
        raise EncodeFailed(f"The encoded part {path.name} has no {missing}.")
    return PartCheck(frames, codecs)


def _codecs(first_packet: bytes) -> str:
    found = _SPS.search(first_packet)
    return f"avc1.{found[1].hex()},{AAC_LC}" if found else ""
