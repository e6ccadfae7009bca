"""What a card's profile says of a clip to come: seconds, memory, how many to fuse."""

from __future__ import annotations

import math
from typing import Literal

from storyforge.domain.profile import ClipFigures, ClipShape, DeviceProfile, FusedTiming
from storyforge.domain.wire import Wire

# Beyond this, kernels leave the regime that was measured, and a scaled number would be a guess.
_SCALED_AT_MOST = 8.0
# What a clip of another shape may need above its scaled share: tiles, allocator blocks.
_SCALED_MARGIN = 1.1
# Fusing makes the first of the clips wait for the last; noise alone must not decide for it.
_FUSED_GAIN_MIN = 1.03


class Estimate(Wire):
    """Seconds that a clip will take. seconds is None when nothing measured is near enough.

    seconds: on the device (text, denoise, decode), one clip alone. encode_seconds: of the encoder
    beside it. basis: `measured` for this very shape, `scaled` from a near one, or `unknown`.
    reason: in words, what it rests on.
    """

    seconds: float | None
    encode_seconds: float | None = None
    basis: Literal["measured", "scaled", "unknown"]
    reason: str


def estimate_seconds(profile: DeviceProfile | None, shape: ClipShape) -> Estimate:
    """What a clip will take: as measured, else scaled from the nearest measured shape.

    Denoising scales by its FLOPs: linear in steps and tokens, quadratic in tokens where it is
    attention; decoding and encoding by pixels. A step is never scaled by more than 8.
    """
    if profile is None:
        return _unknown("This card has no profile; run `storyforge bench`.")
    near, problem = _nearest(profile, shape)
    if near is None:
        return _unknown(problem)
    stages, frame_step = near.stages, _frame_step(profile, shape)
    work = _step_ratio(near, shape, frame_step) * shape.steps / near.shape.steps
    pixels = _pixels(shape) / _pixels(near.shape)
    seconds = stages.text.seconds + stages.denoise.seconds * work + stages.decode.seconds * pixels
    same = near.shape == shape
    return Estimate(
        seconds=seconds,
        encode_seconds=stages.encode.seconds * pixels,
        basis="measured" if same else "scaled",
        reason=f"{'Measured' if same else 'Scaled from'}: {near.shape.words}.",
    )


def peak_bytes(profile: DeviceProfile | None, shape: ClipShape) -> int | None:
    """The most device memory that a clip will hold, weights included; None when not known.

    As measured for this shape, else the weights and the nearest shape's working memory scaled by
    pixels, with a tenth on top.
    """
    near = _nearest(profile, shape)[0] if profile is not None else None
    if profile is None or near is None or near.peak_bytes is None:
        return None
    if near.shape.model_copy(update={"steps": shape.steps}) == shape:
        return near.peak_bytes
    weights = weights_bytes(profile, shape.model) or 0
    working = max(0, near.peak_bytes - weights)
    ratio = _pixels(shape) / _pixels(near.shape)
    return math.ceil((weights + working * ratio) * _SCALED_MARGIN)


def weights_bytes(profile: DeviceProfile | None, model: str) -> int | None:
    """What a model's weights take on the card; None when not known."""
    found = profile.model(model) if profile is not None else None
    return found.weights_bytes if found is not None else None


def best_fused(
    profile: DeviceProfile | None, shape: ClipShape, *, free_bytes: int | None = None
) -> int:
    """How many clips of this shape share a forward pass at best; 1 unless it was seen to pay.

    Steps may differ from what was measured: fusing acts on each step alike. free_bytes: what the
    clips may take in all, weights included; the whole card when None.
    """
    if profile is None:
        return 1
    found = profile.model(shape.model)
    near = [
        one
        for one in (found.clips if found else ())
        if one.shape.model_copy(update={"steps": shape.steps}) == shape
    ]
    timings = {one.clips: one for one in (near[0].fused if near else ())}
    if 1 not in timings:
        return 1
    limit = free_bytes if free_bytes is not None else profile.total_bytes
    alone = timings[1].seconds_per_clip
    paying = [
        one
        for one in timings.values()
        if alone / one.seconds_per_clip >= _FUSED_GAIN_MIN and _fits(one, limit)
    ]
    return min(paying, key=lambda one: one.seconds_per_clip).clips if paying else 1


def _fits(timing: FusedTiming, limit: int | None) -> bool:
    return limit is None or timing.peak_bytes is None or timing.peak_bytes <= limit


def _nearest(profile: DeviceProfile, shape: ClipShape) -> tuple[ClipFigures | None, str]:
    """The measured clip nearest in work, within bounds; else None and why."""
    found = profile.model(shape.model)
    if found is None:
        return None, f"{shape.model} was not measured on this card; run `storyforge bench`."
    clips = [one for one in found.clips if one.shape.precision == shape.precision]
    if not clips:
        return None, f"{shape.model} was not measured in {shape.precision} on this card."

    def far(one: ClipFigures) -> float:
        return abs(math.log(_step_ratio(one, shape, found.frame_step)))

    # Steps are alike, so any number of them scales; the size of one step must be near.
    near = min(clips, key=lambda one: (far(one), abs(one.shape.steps - shape.steps)))
    if far(near) > math.log(_SCALED_AT_MOST):
        return None, (
            f"The nearest measured shape ({near.shape.words}) is more than "
            f"{_SCALED_AT_MOST:g} times away in the work of a step; measure this one with `storyforge bench`."
        )
    return near, ""


def _step_ratio(near: ClipFigures, shape: ClipShape, frame_step: int) -> float:
    """FLOPs of one denoising step of `shape` by those of the measured clip."""
    tokens = _tokens(shape, frame_step) / _tokens(near.shape, frame_step)
    squared = near.attention_share or 0.0
    return (1 - squared) * tokens + squared * tokens**2


def _tokens(shape: ClipShape, frame_step: int) -> float:
    """In proportion to the transformer's sequence: latent frames times area."""
    return ((shape.frames - 1) // frame_step + 1) * shape.width * shape.height


def _pixels(shape: ClipShape) -> float:
    return float(shape.width * shape.height * shape.frames)


def _frame_step(profile: DeviceProfile, shape: ClipShape) -> int:
    found = profile.model(shape.model)
    return found.frame_step if found is not None else 1


def _unknown(reason: str) -> Estimate:
    return Estimate(seconds=None, basis="unknown", reason=reason)
