"""What runs inside the processes that `encode_hls.py` measures or is fed by.

encode_roles.py clip|ours|feed PATH WIDTH HEIGHT FPS FRAMES PRESET OUT
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple


class Clip(NamedTuple):
    """A raw RGB clip on disk."""

    path: Path
    width: int
    height: int
    fps: int
    frames: int


def main() -> None:
    """Play one role."""
    role, path, width, height, fps, frames, preset, out = sys.argv[1:]
    clip = Clip(Path(path), int(width), int(height), int(fps), int(frames))
    if role == "clip":
        _make_clip(clip, preset)
    elif role == "ours":
        _encode_ours(clip, preset, Path(out))
    else:
        _feed(clip)


def _make_clip(clip: Clip, preset: str) -> None:
    """Draw the clip and print what both encoders need to know."""
    from pipelines.bench.same_ladder import same_ladder  # noqa: PLC0415 - the feeder must not load it
    from pipelines.encoding.ladder import hls_profile  # noqa: PLC0415 - the feeder must not load it

    with clip.path.open("wb") as file:
        for number in range(clip.frames):
            file.write(_storyboard(clip, number))
    profile = hls_profile(clip.width, clip.height, clip.fps)
    print(json.dumps(asdict(same_ladder(profile, preset))))


def _storyboard(clip: Clip, number: int) -> bytes:
    """One frame: sky gradient, hills in parallax, a walking figure, a caption, fine film grain."""
    import cv2  # noqa: PLC0415 - the feeder must not load it
    import numpy as np  # noqa: PLC0415 - the feeder must not load it

    width, height = clip.width, clip.height
    shot, t = divmod(number, clip.fps * 3)  # a cut every three seconds
    rows = np.linspace(0, 1, height)[:, None, None]
    low, high = np.array([[30 + 40 * shot, 40, 90], [240, 170 - 20 * shot, 120]])
    picture = np.broadcast_to(low * (1 - rows) + high * rows, (height, width, 3)).astype(
        np.uint8, order="C"
    )
    columns = np.arange(width + 1)
    for layer in range(1, 5):
        phase = columns / width * 9 / layer + t * 0.012 * layer + shot * 2 + layer
        ridge = height * (0.35 + 0.12 * layer) + np.sin(phase) * height * 0.07
        outline = np.stack([columns, ridge + np.sin(phase * 5.3) * 6], axis=1)
        hill = np.vstack([outline, [[width, height], [0, height]]]).astype(np.int32)
        cv2.fillPoly(picture, [hill], (70 - 12 * layer, 60 + 9 * shot, 80 - 14 * layer))
    x = int(width * (0.2 + 0.004 * t)) % width
    foot = int(height * 0.86)
    cv2.ellipse(
        picture, (x, foot - height // 8), (height // 22, height // 9), 0, 0, 360, (24, 18, 30), -1
    )
    cv2.circle(picture, (x, foot - height // 4), height // 20, (36, 26, 40), -1, cv2.LINE_AA)
    place = (width // 12, int(height * 0.95))
    text = f"Shot {shot + 1}: over the hills"
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, height / 720, (250, 246, 230), 2)
    grain = np.random.default_rng(number).normal(0, 1.2, (height, width, 1))
    return np.clip(picture + grain, 0, 255).astype(np.uint8).tobytes()


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1024


def _encode_ours(clip: Clip, preset: str, out: Path) -> None:
    import numpy as np  # noqa: PLC0415 - the feeder must not load it

    from inference.video.model import Frames  # noqa: PLC0415 - the feeder must not load it
    from pipelines.encoding.hls import encode_hls  # noqa: PLC0415 - the feeder must not load it
    from pipelines.encoding.ladder import hls_profile  # noqa: PLC0415 - the feeder must not load it

    def chunks() -> Iterator[Frames]:
        shape = (1, clip.height, clip.width, 3)
        size = clip.width * clip.height * 3
        with clip.path.open("rb", buffering=0) as file:
            while data := file.read(size):
                yield np.frombuffer(data, np.uint8).reshape(shape)

    profile = hls_profile(clip.width, clip.height, clip.fps)
    base_mb = _rss_mb()
    start, cpu = time.perf_counter(), time.process_time()
    media = encode_hls(chunks(), profile, out, preset=preset, on_frames=lambda _: None)
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    assert media.frames == clip.frames
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "base_mb": base_mb}))


def _feed(clip: Clip) -> None:
    """Write the clip frame by frame, after one byte that says the feeder is ready."""
    out = sys.stdout.buffer
    frame_bytes = clip.width * clip.height * 3
    with clip.path.open("rb", buffering=0) as file:
        out.write(b"!")
        out.flush()
        while frame := file.read(frame_bytes):
            out.write(frame)


if __name__ == "__main__":
    main()
