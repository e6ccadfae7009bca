"""Gives a foreign encoder the very ladder that ours makes, so that both do the same work."""

from __future__ import annotations

from inference.bench.ffmpeg_ladder import Ladder, LadderRung
from pipelines.encoding.encoders import CRF, cap_bps
from storyforge.domain.segment import HlsProfile


def same_ladder(profile: HlsProfile, preset: str) -> Ladder:
    """Sizes, caps, GOP and quality of our encoder. preset: of x264."""
    return Ladder(
        rungs=tuple(
            LadderRung(rung.width, rung.height, cap_bps(rung, profile.fps))
            for rung in profile.rungs
        ),
        gop_seconds=profile.gop_seconds,
        gop_frames=profile.gop_seconds * profile.fps,
        crf=CRF,
        preset=preset,
    )
