"""An HLS ladder by the ffmpeg command line, as one would make it without us: what we compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LadderRung:
    """One size, with the most that its video may take over a second."""

    width: int
    height: int
    cap_bps: int


@dataclass(frozen=True)
class Ladder:
    """What an encoder is told: sizes, tallest first, and x264's settings."""

    rungs: tuple[LadderRung, ...]
    gop_seconds: int
    gop_frames: int
    crf: int
    preset: str


def ladder_command(
    ffmpeg: str, source: Sequence[str], seconds: float, ladder: Ladder, out: Path
) -> list[str]:
    """The command line that reads `source` (ffmpeg's input options) and writes into `out`.

    One filter graph, each rung scaled from the one above, and a silent sound track.
    """
    rungs, gop = ladder.rungs, str(ladder.gop_frames)
    graph = "[0:v]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    maps: list[str] = []
    for place, rung in enumerate(rungs):
        graph += f",split=2[v{place}][u{place}]" if place + 1 < len(rungs) else f"[v{place}]"
        if place + 1 < len(rungs):
            below = rungs[place + 1]
            graph += f";[u{place}]scale={below.width}:{below.height}"
        maps += ["-map", f"[v{place}]", "-map", "1:a"]
        cap = str(rung.cap_bps)
        maps += [f"-maxrate:v:{place}", cap, f"-bufsize:v:{place}", cap]
    return [
        *(ffmpeg, "-v", "error", "-nostdin", *source),
        *("-f", "lavfi", "-t", str(seconds), "-i", "anullsrc=r=48000:cl=stereo"),
        *("-filter_complex", graph, *maps),
        *("-c:v", "libx264", "-preset", ladder.preset, "-profile:v", "high"),
        *("-crf", str(ladder.crf), "-g", gop, "-keyint_min", gop, "-sc_threshold", "0"),
        *("-flags", "+cgop"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", str(ladder.gop_seconds)),
        *("-hls_playlist_type", "vod", "-hls_flags", "independent_segments"),
        *("-hls_segment_filename", f"{out}/r%v_%04d.ts", "-master_pl_name", "master.m3u8"),
        *("-var_stream_map", " ".join(f"v:{n},a:{n}" for n in range(len(rungs)))),
        f"{out}/r%v.m3u8",
    ]
