"""Drift at a join: measured between two frames, then left, corrected or refused.

Over 20 pairs of storyboard shots in one place and light, which are right by construction, colour
differs by 4.5 at most, contrast by 0.5 and sharpness by 0.8 octaves: the limits of GateSettings
are four times that. 2.3 is the just noticeable difference of CIE76.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from pipelines.encoding.pictures import Picture, resize
from storyforge.domain.film_record import Drift, Gate, JoinAction, JoinKind, PictureSource, Refusal
from storyforge.domain.script import Light
from storyforge.settings import GateSettings

_OF_SOURCE: Mapping[PictureSource, JoinKind] = MappingProxyType(
    {
        PictureSource.LAST_FRAME: JoinKind.CONTINUED,
        PictureSource.STYLE_FRAME: JoinKind.FROM_STYLE,
    }
)
_ONLY_MEASURED = frozenset({JoinKind.OPENING, JoinKind.CUT, JoinKind.DRAWN})
_COLOUR_WIDTH, _SHARPNESS_WIDTH = 160, 320  # both judged at one size, whatever the film's
# Added before the logarithm: below these (of 100, and of 200 and more in a picture with detail) a
# frame is flat or soft, and how much so does not matter.
_CONTRAST_LEAST, _SHARPNESS_LEAST = 1.0, 10.0


@dataclass(frozen=True)
class Scenery:
    """Where and in which light a shot is; an empty place or light is not told."""

    place: str
    light: Light | None


def join_kinds(
    shots: Sequence[Scenery],
    before: Scenery | None,
    starts: Sequence[PictureSource],
    *,
    drifts: bool = True,
) -> tuple[JoinKind, ...]:
    """How each shot follows what is before it.

    before: the end of the segment before; None when there is none. starts: what each starts from.
    drifts: whether the model's colours may drift.
    """
    another_view = JoinKind.SAME_SCENE if drifts else JoinKind.DRAWN
    kinds, last = [], before
    for now, source in zip(shots, starts, strict=True):
        if last is None:
            kinds.append(_OF_SOURCE.get(source, JoinKind.OPENING))
        elif _changes(last, now):
            kinds.append(JoinKind.CUT)
        else:
            kinds.append(_OF_SOURCE.get(source, another_view))
        last = Scenery(now.place or (last.place if last else ""), now.light)
    return tuple(kinds)


def drift(picture: Picture, wanted: Picture) -> Drift:
    """How `picture` differs from `wanted`; both are RGB of any size."""
    (colour, contrast), (colour_wanted, contrast_wanted) = _tones(picture), _tones(wanted)
    return Drift(
        colour=round(math.dist(colour, colour_wanted), 2),
        contrast=_octaves(contrast, contrast_wanted, _CONTRAST_LEAST),
        sharpness=_octaves(_sharpness(picture), _sharpness(wanted), _SHARPNESS_LEAST),
    )


def decide(kind: JoinKind, found: Drift, settings: GateSettings) -> JoinAction:
    """What to do about a shot's drift from the frame it is held against.

    A cut is never touched, and neither is a drawing.
    """
    if kind in _ONLY_MEASURED or Gate.JOIN in settings.names_off:
        return JoinAction.MEASURED
    if _is_large(found, settings):
        return JoinAction.REFUSED
    noticed = (
        found.colour > settings.colour_noticed or abs(found.contrast) > settings.contrast_noticed
    )
    return JoinAction.CORRECTED if noticed else JoinAction.MEASURED


def refusal(kind: JoinKind, found: Drift, settings: GateSettings) -> Refusal:
    """The reason in numbers."""
    frame = "style" if kind is JoinKind.FROM_STYLE else "last"
    return Refusal(
        gate=Gate.JOIN,
        detail=f"It does not join the {frame} frame: colour {found.colour:.1f} (at most "
        f"{settings.colour_max}), contrast {found.contrast:+.2f} (±{settings.contrast_max}), "
        f"sharpness {found.sharpness:+.2f} (±{settings.sharpness_max}).",
    )


def _changes(last: Scenery, now: Scenery) -> bool:
    moved = bool(last.place and now.place and last.place != now.place)
    return moved or (last.light is not None and last.light != now.light)


def _is_large(found: Drift, settings: GateSettings) -> bool:
    return (
        found.colour > settings.colour_max
        or abs(found.contrast) > settings.contrast_max
        or abs(found.sharpness) > settings.sharpness_max
    )


def _tones(picture: Picture) -> tuple[tuple[float, ...], float]:
    """The mean colour in CIE L*a*b*, and the deviation of L*."""
    small = _at_width(picture, _COLOUR_WIDTH).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB)).reshape(-1, 3)
    return tuple(float(value) for value in lab.mean(axis=0)), float(lab[:, 0].std())


def _sharpness(picture: Picture) -> float:
    """Variance of the Laplacian of the luma."""
    luma = cv2.cvtColor(_at_width(picture, _SHARPNESS_WIDTH), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(luma, cv2.CV_16S).var())


def _at_width(picture: Picture, width: int) -> Picture:
    rows, columns = picture.shape[:2]
    if columns <= width:
        return picture
    return resize(picture, (width, max(1, round(rows * width / columns))))


def _octaves(value: float, wanted: float, least: float) -> float:
    return round(math.log2((value + least) / (wanted + least)), 3)
