"""The images that a take starts from: read, fitted to the clip, or drawn where none was given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from inference.video.diffusion.clip_plan import ClipPlan
from inference.video.diffusion.families import Ability, Family
from inference.video.model import ShotRequest
from inference.video.storyboard.film import Film
from inference.video.storyboard.plan import compose
from storyforge.errors import RenderFailed

_NONE = "none"
_USED = "used"
_DRAWN = "drawn: the model needs a picture and none was given, so it starts from the storyboard"
_IGNORED_FIRST = "ignored: text-to-video model"
_IGNORED_LAST = "ignored: the model cannot end on a given frame"
_SAME = "the first frame: the model needs two and one was given"
_LATE_SECONDS = 20.0  # a storyboard's name tags are gone by the middle of such a take


@dataclass(frozen=True)
class Pictures:
    """The images that a take starts from and ends with, already of the clip's size."""

    first: Image.Image | None = None
    last: Image.Image | None = None

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self.first is not None or self.last is not None


@dataclass(frozen=True)
class ChosenPictures:
    """The pictures for a take, and for the recipe what became of each."""

    pictures: Pictures
    first_note: str
    last_note: str


def needs_pictures(family: Family, request: ShotRequest) -> bool:
    """Whether this shot goes with a picture of its own, without reading or drawing it."""
    return (
        not family.can(Ability.TEXT)
        or (request.first_frame is not None and family.starts_from_picture)
        or (request.last_frame is not None and family.can(Ability.LAST_FRAME))
    )


def blank_pictures(family: Family, clip: ClipPlan) -> Pictures:
    """Black pictures where the model cannot do without, for a run whose result is thrown away."""
    if family.can(Ability.TEXT):
        return Pictures()
    black = Image.new("RGB", (clip.width, clip.height))
    return Pictures(first=black, last=None if family.can(Ability.FIRST_FRAME) else black)


def choose_pictures(family: Family, request: ShotRequest, clip: ClipPlan) -> ChosenPictures:
    """Give the model what it can use, draw what it cannot do without, and say so.

    Raises RenderFailed when a given image cannot be read.
    """
    takes_first = family.starts_from_picture
    first, first_note = None, _NONE
    if request.first_frame is not None:
        first_note = _USED if takes_first else _IGNORED_FIRST
        first = _read(request.first_frame, clip) if takes_first else None
    last, last_note = None, _NONE
    if request.last_frame is not None:
        takes_last = family.can(Ability.LAST_FRAME)
        last_note = _USED if takes_last else _IGNORED_LAST
        last = _read(request.last_frame, clip) if takes_last else None
    conditions = family.can(Ability.CONDITIONS)
    if first is None and not (family.can(Ability.TEXT) and (last is None or conditions)):
        first, first_note = _drawn(request, clip), _DRAWN
    if last is None and not (family.can(Ability.TEXT) or family.can(Ability.FIRST_FRAME)):
        last, last_note = first, _SAME  # first+last models take nothing less
    return ChosenPictures(Pictures(first=first, last=last), first_note, last_note)


def _read(path: str, clip: ClipPlan) -> Image.Image:
    try:
        with Image.open(Path(path)) as opened:
            return _fitted(opened.convert("RGB"), clip)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as exc:
        raise RenderFailed("The picture that the shot starts or ends with is unreadable.") from exc


def _drawn(request: ShotRequest, clip: ClipPlan) -> Image.Image:
    """The storyboard's picture of the shot, without words or name tags."""
    shot = request.shot.model_copy(update={"narration": "", "seconds": _LATE_SECONDS})
    silent = request.model_copy(update={"shot": shot, "title": "", "index": 1, "count": 3})
    still = Film(compose(silent), clip.width, clip.height).still(0.5)
    return Image.fromarray(np.ascontiguousarray(still[0]))


def _fitted(image: Image.Image, clip: ClipPlan) -> Image.Image:
    """Resized to cover the clip's size and cropped around the middle."""
    return ImageOps.fit(image, (clip.width, clip.height), method=Image.Resampling.LANCZOS)
