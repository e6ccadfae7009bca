"""One shot as a film: layers made once, then drawn frame by frame with finish and words."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.model import Frames
from inference.video.storyboard.boat import BOAT_FLOOR
from inference.video.storyboard.camera import Pose, pose_at, reach_of
from inference.video.storyboard.canvas import Geometry
from inference.video.storyboard.colour import lighten, rgb
from inference.video.storyboard.compositor import Compositor
from inference.video.storyboard.figures import DEPTH, figure_layer
from inference.video.storyboard.finish import Finish
from inference.video.storyboard.framing import Framing
from inference.video.storyboard.layers import Layer, Sheet
from inference.video.storyboard.lens import seen_through
from inference.video.storyboard.overlays import (
    Sticker,
    caption_stickers,
    name_tag,
    slate_sticker,
)
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.scenery import GROUND, scenery_layers
from inference.video.storyboard.styles import Paint, style_named

_BLURS = {Framing.WIDE: 0.0, Framing.MEDIUM: 0.0012, Framing.CLOSE: 0.0035}  # of the unit
_HEADROOM = 0.20  # of the unit, from the top to the tallest head in nearer views
_LOWEST_HEAD = 0.50  # likewise to the smallest: captions begin below
_TALLEST = 0.4
_TAG_SECONDS = 3.2  # name tags greet and go
_SOLID = 100  # 8-bit coverage: the figure, not its glow or shadow
_DIP_SECONDS = 0.22  # half of a dip between two shots
_OPEN_SECONDS = 0.5  # the fade that opens and closes a segment


class Film:
    """A plan made drawable at one size."""

    def __init__(self, plan: DrawingPlan, width: int, height: int) -> None:
        self._plan = plan
        self._geometry = Geometry(width, height)
        style = style_named(plan.preset)
        wintry = "snow" in plan.weather
        self._paint = Paint(style, plan.light, plan.palette, wintry=wintry, indoors=plan.indoors)
        reach = reach_of(plan.camera)
        sheet = Sheet(self._geometry, reach.across, reach.up_down)
        behind, before = (
            self._nearer(layers, sheet) for layers in scenery_layers(plan, sheet, self._paint)
        )
        self._figures = [
            figure_layer(figure, self._geometry, self._paint, self._ground(at), afloat=self._afloat)
            for at, figure in enumerate(plan.figures)
        ]
        self._heads = [_head_of(layer) for layer in self._figures]
        self._compositor = Compositor(self._geometry, [*behind, *self._figures, *before])
        self._finish = Finish(self._geometry, plan, self._paint)
        self._stickers = caption_stickers(plan, self._geometry, serif=style.serif)
        slate = slate_sticker(plan, self._geometry)
        if slate is not None:
            self._stickers.append(slate)
        self._tags = [
            name_tag(figure.name, self._geometry, lighten(rgb(figure.cloth), 0.25))
            for figure in plan.figures
        ]

    @property
    def _afloat(self) -> bool:
        return self._plan.setting == "boat"

    def _nearer(self, layers: list[Layer], sheet: Sheet) -> list[Layer]:
        """The layers as the shot's lens shows them."""
        blur_px = self._geometry.unit * _BLURS[self._plan.framing]
        seen = (seen_through(layer, self._plan.lens, sheet, blur_px) for layer in layers)
        return [layer for layer in seen if layer is not None]

    def _ground(self, at: int) -> float:
        """Where a figure's feet are: not all in one row; below the frame in nearer views."""
        plan, frame = self._plan, self._geometry
        if self._afloat:
            return (
                frame.height * BOAT_FLOOR
                - (1.0 - plan.figures[at].tall / _TALLEST) * frame.unit * 0.05
            )
        if plan.framing is not Framing.WIDE:
            tall = [figure.tall for figure in plan.figures]
            feet = min(_HEADROOM + max(tall), _LOWEST_HEAD + min(tall))
            near = frame.height / 2 + frame.unit * (feet - 0.5)
            return max(near, self._land(0.0))
        row = (0.0, 0.018, 0.004, 0.022, 0.008)[at % 5]
        return self._land(row)

    def _land(self, row: float) -> float:
        """Where the ground that figures stand on lies under the lens; row: of the height, lower."""
        lens = self._plan.lens
        y = lens.y + (GROUND + row - lens.y) * lens.zoom_at(DEPTH)
        return self._geometry.height * y

    def draw(self, out: NDArray[np.uint8], index: int, frames: int, fps: int) -> None:
        """Draw frame `index` of `frames` into `out` [H, W, 3]."""
        seconds = index / fps
        progress = index / max(1, frames - 1)
        pose = pose_at(self._plan.camera, progress, seconds, self._plan.shot_seed % 628 / 100)
        picture = self._compositor.draw(pose, seconds)
        self._finish.air(picture, pose, seconds)
        shown = cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=out)
        if shown is not out:
            out[:] = shown
        self._finish.polish(out, index)
        for row in range(len(self._tags)):
            self._place_tag(out, row, pose, seconds)
        for sticker in self._stickers:
            lay_sticker(out, sticker, sticker.strength(seconds))
        self._dip(out, index, frames, fps)

    def still(self, progress: float) -> Frames:
        """One frame [1, H, W, 3] from the middle of the take, for trials and thumbnails."""
        out = np.empty((1, self._geometry.height, self._geometry.width, 3), np.uint8)
        frames = max(3, round(self._plan.seconds * 12))
        self.draw(out[0], round(progress * (frames - 1)), frames, 12)
        return out

    def _place_tag(self, out: NDArray[np.uint8], row: int, pose: Pose, seconds: float) -> None:
        layer, tag = self._figures[row], self._tags[row]
        if tag is None:
            return
        rise = min(1.0, seconds / 0.4 + 0.3)
        strength = min(rise, (_TAG_SECONDS - seconds) / 0.5)
        if strength <= 0:
            return
        matrix = self._compositor.matrix(layer, pose, seconds)
        x, y = matrix @ (*self._heads[row], 1.0)
        lift = 1.35 + 1.15 * (row % 2 if len(self._figures) > 3 else 0)  # noqa: PLR2004 - a crowd
        top = max(round(y - tag.shape[0] * lift), round(self._geometry.unit * 0.09))
        left = round(x - tag.shape[1] / 2)
        left = min(max(2, left), max(2, self._geometry.width - tag.shape[1] - 2))
        lay_sticker(out, Sticker(tag, left, top), strength)

    def _dip(self, out: NDArray[np.uint8], index: int, frames: int, fps: int) -> None:
        """Rise from the dark at the start, sink into it at the end; softer between shots."""
        plan = self._plan
        opening = _DIP_SECONDS if plan.joins_previous or plan.index else _OPEN_SECONDS
        closing = _DIP_SECONDS if plan.index + 1 < plan.count else _OPEN_SECONDS
        # A third of the take at most, so that short takes are not all fade.
        start = min(opening * fps, frames / 3)
        stop = min(closing * fps, frames / 3)
        floor = 0.35
        share = min((index + 1) / max(1.0, start), (frames - index) / max(1.0, stop), 1.0)
        if share < 1.0:
            cv2.convertScaleAbs(out, dst=out, alpha=floor + (1 - floor) * share)


def _head_of(layer: Layer) -> tuple[float, float]:
    """The top of a figure in its layer's pixels."""
    cover = cv2.extractChannel(layer.image, 3) > _SOLID
    rows = np.flatnonzero(cover.any(axis=1))
    top = int(rows[0]) if len(rows) else 0
    columns = np.flatnonzero(cover[top : top + 8].any(axis=0))
    across = float(columns.mean()) if len(columns) else layer.image.shape[1] / 2
    return across, float(top)


def lay_sticker(out: NDArray[np.uint8], sticker: Sticker, strength: float) -> None:
    """Composite an overlay onto an RGB frame, clipped to it."""
    if strength <= 0:
        return
    height, width = out.shape[:2]
    tall, wide = sticker.image.shape[:2]
    x0, y0 = max(0, sticker.left), max(0, sticker.top)
    x1, y1 = min(width, sticker.left + wide), min(height, sticker.top + tall)
    if x0 >= x1 or y0 >= y1:
        return
    piece = np.array(
        sticker.image[y0 - sticker.top : y1 - sticker.top, x0 - sticker.left : x1 - sticker.left]
    )
    if strength < 1.0:
        cv2.convertScaleAbs(piece, dst=piece, alpha=strength)
    below = np.ascontiguousarray(out[y0:y1, x0:x1])
    rest = cv2.bitwise_not(cv2.extractChannel(piece, 3))
    dimmed = cv2.multiply(below, cv2.merge([rest, rest, rest]), scale=1 / 255)
    out[y0:y1, x0:x1] = cv2.add(dimmed, cv2.cvtColor(piece, cv2.COLOR_RGBA2RGB))
