"""The film record of a segment: figures of every clip, drift at every join, takes and sources."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from storyforge.domain.wire import Wire


class Gate(StrEnum):
    """What may refuse a clip; `numbers` is for latents or frames that are no numbers."""

    BLACK = "black"
    FROZEN = "frozen"
    NOISE = "noise"
    NUMBERS = "numbers"
    JOIN = "join"


class Refusal(Wire):
    """Which gate refused a clip, with its figure and the limit."""

    gate: Gate
    detail: str


class ClipFigures(Wire):
    """What was measured on a clip's frames; luma is of 0-255.

    brightness: mean luma. black_share: frames that are dark and flat, 0-1. motion: mean change of
    luma from frame to frame. structure: how much of a frame's contrast is in its large shapes, 0-1
    (median over the frames). steadiness: correlation of frames half a second apart, -1..1.
    """

    frames: int
    brightness: float
    black_share: float
    motion: float
    structure: float
    steadiness: float


class Drift(Wire):
    """How a frame differs from the one it is compared with.

    colour: distance of the mean colours, CIE76 (2.3 is just noticeable). contrast, sharpness: in
    octaves; 1 is twice as much, -1 half as much.
    """

    colour: float
    contrast: float
    sharpness: float


class JoinKind(StrEnum):
    """How a shot follows what is before it.

    opening: nothing is before it. continued: it started from the last frame. from_style: it started
    from the style frame, and is held against that. same_scene: place and light stay. cut: the
    script changes place or light. drawn: as same_scene, of a drawing, whose colours are chosen.
    """

    OPENING = "opening"
    CONTINUED = "continued"
    FROM_STYLE = "from_style"
    SAME_SCENE = "same_scene"
    CUT = "cut"
    DRAWN = "drawn"


class JoinAction(StrEnum):
    """What was done about the drift at a join."""

    MEASURED = "measured"
    CORRECTED = "corrected"
    REFUSED = "refused"


class JoinRecord(Wire):
    """A shot's first frame against the last frame before it, and against the style frame.

    corrected_frames: over how many frames a correction faded out. left: the drift that it left.
    """

    kind: JoinKind
    action: JoinAction = JoinAction.MEASURED
    to_last: Drift | None = None
    to_style: Drift | None = None
    corrected_frames: int = 0
    left: Drift | None = None


class RefusedTake(Wire):
    """A take of a shot (both count from 1) that is not shown, and why."""

    shot: int
    take: int
    seed: int
    refusals: tuple[Refusal, ...]
    figures: ClipFigures | None = None
    join: JoinRecord | None = None


class PictureSource(StrEnum):
    """Which picture a shot starts from."""

    NONE = "none"
    LAST_FRAME = "last_frame"
    STYLE_FRAME = "style_frame"


class StartPicture(Wire):
    """What a shot started from; note: in words, what could not be used and why."""

    source: PictureSource = PictureSource.NONE
    sha256: str = ""
    note: str = ""


class ShotFilm(Wire):
    """How one shot (counted from 1) was filmed; recipe: the video model's own account."""

    shot: int
    take: int
    seed: int
    picture: StartPicture
    figures: ClipFigures
    join: JoinRecord
    refused: tuple[RefusedTake, ...] = ()
    recipe: Mapping[str, Any] = {}


class FilmRecord(Wire):
    """How a segment was filmed; line: the short of it, for readers. gates_off: by name."""

    model: str
    line: str
    gates_off: tuple[str, ...] = ()
    shots: tuple[ShotFilm, ...]


def told_line(model: str, shots: tuple[ShotFilm, ...], gates_off: tuple[str, ...]) -> str:
    """One line on a segment's film."""
    parts = [f"Filmed by {model}"]
    again = sum(len(shot.refused) for shot in shots)
    if again:
        parts.append(f"{again} {'take' if again == 1 else 'takes'} refused and filmed again")
    mended = sum(shot.join.action is JoinAction.CORRECTED for shot in shots)
    if mended:
        parts.append(f"{mended} {'join' if mended == 1 else 'joins'} corrected")
    if any(shot.picture.source is PictureSource.LAST_FRAME for shot in shots):
        parts.append("continues the last picture")
    if gates_off:
        parts.append(f"not checked: {', '.join(gates_off)}")
    return "; ".join(parts) + "."
