"""Test tools for HLS: small clips, and checks of ours, of ffmpeg's and of a strict parser's."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from inference.video.model import Frames
from storyforge.domain.segment import HlsProfile, Part, Rung

TOOLS = Path(__file__).resolve().parents[1] / "tools"

# Two rungs small enough to encode in a blink; a part is 24 frames.
PROFILE = HlsProfile(
    fps=12,
    rungs=(
        Rung(name="108p", width=192, height=108),
        Rung(name="54p", width=96, height=54),
    ),
    gop_seconds=2,
    target_duration=2,
)


def clip(frames: int, width: int = 192, height: int = 108, chunk: int = 5) -> Iterator[Frames]:
    """A moving gradient with a bright square, in chunks."""
    rows, columns = np.mgrid[:height, :width]
    for first in range(0, frames, chunk):
        pictures = []
        for number in range(first, min(first + chunk, frames)):
            picture = np.stack(
                [
                    (columns + 3 * number) % 256,
                    (2 * rows + number) % 256,
                    np.full_like(rows, 80 + number % 100),
                ],
                axis=-1,
            ).astype(np.uint8)
            left = (5 * number) % (width // 2)
            picture[height // 4 : height // 2, left : left + width // 6] = 240
            pictures.append(picture)
        yield np.stack(pictures)


def packets(path: Path, kind: str = "video") -> list[Any]:
    """All packets of one kind in a part, a playlist or a film."""
    with av.open(str(path), "r") as container:
        stream = getattr(container.streams, kind)[0]
        return [packet for packet in container.demux(stream) if packet.size]


def decoded(path: Path) -> list[Any]:
    """All video frames, decoded."""
    # the format is named: FFmpeg does not recognise a part of a few packets by itself
    with av.open(str(path), "r", format="mpegts" if path.suffix == ".ts" else None) as container:
        return list(container.decode(video=0))


def peak_bps(parts: Sequence[Part], target_duration: int) -> float:
    """The peak bit rate by its definition: every contiguous run, none left out."""
    rates = [0.0]
    for first in range(len(parts)):
        for last in range(first, len(parts)):
            run = parts[first : last + 1]
            seconds = sum(part.seconds for part in run)
            if 0.5 * target_duration <= seconds <= 1.5 * target_duration:
                rates.append(sum(part.bytes for part in run) * 8 / seconds)
    return max(rates)


def ffmpeg_complaints(path: Path) -> str:
    """What the ffmpeg command says, at warning level, when it decodes every stream of a file."""
    ffmpeg = shutil.which("ffmpeg")
    if not ffmpeg:
        pytest.skip("needs the ffmpeg command: apt-get install ffmpeg")
    command = [ffmpeg, "-v", "warning", "-i", str(path), "-map", "0", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stderr.decode() + ("" if done.returncode == 0 else f"exit {done.returncode}")


def strict_faults(*paths: Path) -> list[str]:
    """What npm's hls-parser, in its strict mode, finds wrong with the playlists."""
    node = shutil.which("node")
    if not node or not (TOOLS / "node_modules" / "hls-parser").is_dir():
        pytest.skip("needs node and its packages: npm ci --prefix tests/tools")
    command = [node, str(TOOLS / "hls_strict.mjs"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(paths), done.stderr.decode()
    return [f"{Path(one['path']).name}: {one['fault']}" for one in results if "fault" in one]
