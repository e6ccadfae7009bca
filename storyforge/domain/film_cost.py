"""What a script will cost to film, as the profile of a card says it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from storyforge.domain.estimates import estimate_seconds
from storyforge.domain.profile import ClipShape, DeviceProfile
from storyforge.domain.wire import Wire


class FilmSetup(Wire):
    """What a film worker films with; it lies in the worker's row, beside its card's profile.

    width, height: pixels of the top rung. fps: frames per second. steps: of the denoising.
    """

    model: str
    width: int
    height: int
    fps: int
    steps: int
    precision: str = "bf16"


class FilmCost(Wire):
    """gpu_seconds: of one card, for all shots alone; None when nobody knows. reason: why, in words."""

    gpu_seconds: float | None
    reason: str


def film_cost(
    profile: DeviceProfile | None, setup: FilmSetup | None, seconds: Sequence[float]
) -> FilmCost:
    """Seconds of the card for shots of these lengths, each at the next length the model can make."""
    if setup is None:
        return FilmCost(gpu_seconds=None, reason="No film worker says what it films with.")
    figures = profile.model(setup.model) if profile is not None else None
    frame_step = figures.frame_step if figures is not None else 1
    total = 0.0
    reasons = []
    for length in seconds:
        steps_of_frames = math.ceil(max(0.0, length * setup.fps - 1) / frame_step)
        shape = ClipShape(
            model=setup.model,
            width=setup.width,
            height=setup.height,
            frames=steps_of_frames * frame_step + 1,
            steps=setup.steps,
            precision=setup.precision,
        )
        estimate = estimate_seconds(profile, shape)
        if estimate.seconds is None:
            return FilmCost(gpu_seconds=None, reason=estimate.reason)
        total += estimate.seconds
        reasons.append(estimate.reason)
    return FilmCost(gpu_seconds=round(total, 1), reason=reasons[0] if reasons else "No shots.")
