"""The ladder: which sizes a scene is encoded in, decided from the size of its film."""

from __future__ import annotations

from pipelines.encoding.sizes import even
from storyforge.domain.segment import HlsProfile, Rung

MAX_RUNGS = 3
STANDARD_HEIGHTS = (2160, 1440, 1080, 720, 480, 360, 240)
# A rung must be worth switching to: at most 0.67 of the height above is under half the pixels.
MAX_STEP = 0.67
GOP_SECONDS = 2


def ladder(width: int, height: int) -> tuple[Rung, ...]:
    """The rungs for a film of `width` x `height` pixels, tallest first, all of even size.

    The top rung is the film's own size (an odd last row or column is dropped), named by its real
    height; then at most two standard heights, each the largest that is <= 0.67 of the one above.
    """
    top = Rung(name=f"{even(height)}p", width=even(width), height=even(height))
    rungs = [top]
    for standard in STANDARD_HEIGHTS:
        if len(rungs) < MAX_RUNGS and standard <= MAX_STEP * rungs[-1].height:
            fitted = max(2, round(width * standard / height / 2) * 2)
            rungs.append(Rung(name=f"{standard}p", width=fitted, height=standard))
    return tuple(rungs)


def hls_profile(width: int, height: int, fps: int) -> HlsProfile:
    """What a scene filmed at this size keeps for all its segments.

    Every part but a segment's last lasts exactly one GOP and the last one no longer, so the GOP
    is also the target duration: it holds for whatever is appended later.
    """
    return HlsProfile(
        fps=fps,
        rungs=ladder(width, height),
        gop_seconds=GOP_SECONDS,
        target_duration=GOP_SECONDS,
    )
