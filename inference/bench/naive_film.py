"""A film as one would make it with plain diffusers: pipe(...), export_to_video, ffmpeg to HLS."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from diffusers.utils.export_utils import export_to_video
from numpy.typing import NDArray

from inference.bench.ffmpeg_ladder import Ladder, LadderRung, ladder_command
from storyforge import clock
from storyforge.errors import EncodeFailed

HOW = "pipe(...) + export_to_video + ffmpeg HLS"
_CLIP = "clip.mp4"


@dataclass(frozen=True)
class NaiveRequest:
    """What is filmed. tokens: the length of the padded prompt. negative_prompt: as our path has it."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    frames: int
    fps: int
    steps: int
    guidance: float
    tokens: int
    seed: int = 0


@dataclass(frozen=True)
class NaiveTimes:
    """Seconds of each call; all frames are in memory from the first one on."""

    pipe_s: float
    export_s: float
    hls_s: float

    @property
    def seconds(self) -> float:
        """Of the whole film."""
        return self.pipe_s + self.export_s + self.hls_s


def naive_film(
    pipeline: Any,
    request: NaiveRequest,
    ladder: Ladder,
    into: Path,
    *,
    drawn: NDArray[np.floating[Any]] | None = None,
    now_s: Callable[[], float] = clock.monotonic_s,
) -> NaiveTimes:
    """Film one request with a diffusers pipeline into the folder `into`.

    drawn: frames [t, H, W, 3] in 0..1 that are encoded instead of what the pipeline gave, which for
    random weights is noise, x264's worst case. Raises EncodeFailed when ffmpeg refuses.
    """
    start_s = now_s()
    frames = pipeline(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        num_frames=request.frames,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        max_sequence_length=request.tokens,
        generator=torch.Generator("cpu").manual_seed(request.seed),
    ).frames[0]
    piped_s = now_s()
    clip = into / _CLIP
    into.mkdir(parents=True, exist_ok=True)
    export_to_video(list(frames if drawn is None else drawn), str(clip), fps=request.fps)
    exported_s = now_s()
    seconds = request.frames / request.fps
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        for number, rung in enumerate(ladder.rungs):
            _transcode(clip, rung, ladder, into / f"r{number}.m3u8")
    else:
        command = ladder_command(ffmpeg, ("-i", str(clip)), seconds, ladder, into)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - built above, no shell
        if done.returncode:
            raise EncodeFailed(f"ffmpeg refused the naive film: {done.stderr.strip()[-300:]}")
    return NaiveTimes(piped_s - start_s, exported_s - piped_s, now_s() - exported_s)


def _transcode(clip: Path, rung: LadderRung, ladder: Ladder, playlist: Path) -> None:
    """One rung after the other where there is no ffmpeg command: what a PyAV recipe looks like."""
    options = {"hls_time": str(ladder.gop_seconds), "hls_playlist_type": "vod"}
    with (
        av.open(str(clip)) as source,
        av.open(str(playlist), "w", format="hls", options=options) as target,
    ):
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=Fraction(video.average_rate or 24))
        stream.width, stream.height, stream.pix_fmt = rung.width, rung.height, "yuv420p"
        gop, cap = str(ladder.gop_frames), str(rung.cap_bps)
        stream.options = {"preset": ladder.preset, "crf": str(ladder.crf), "g": gop}
        stream.options |= {"maxrate": cap, "bufsize": cap, "sc_threshold": "0"}
        for frame in source.decode(video):
            shown = frame.reformat(width=rung.width, height=rung.height, format="yuv420p")
            target.mux(stream.encode(shown))
        target.mux(stream.encode(None))
