"""Enlarges finished layers for nearer field sizes, and softens what is far."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from inference.video.storyboard.canvas import Geometry, Rgba
from inference.video.storyboard.framing import Lens
from inference.video.storyboard.layers import Layer, Sheet, depth_share, opaque_from

_SPARE = 0.06  # of the frame's width, beyond what the camera can show: own motion needs it
_NEAR = 1.0  # what is nearer than this would stand in the way of a nearer view
_SHARP = 0.8  # depth from which a nearer view stays sharp


def seen_through(layer: Layer, lens: Lens, sheet: Sheet, blur_px: float) -> Layer | None:
    """The layer under the lens, cut to what can be seen; None when nothing of it is left.

    blur_px: softness of what is far, in frame pixels; 0 for none.
    """
    zoom = lens.zoom_at(layer.depth)
    if zoom == 1.0:
        return layer
    frame = sheet.geometry
    focus_x, focus_y = frame.width * lens.x, frame.height * lens.y
    x0, x1, y0, y1 = _needed(layer, lens, sheet)
    if layer.depth > _NEAR and lens.zoom > 1.5:  # noqa: PLR2004 - a close view
        return None
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    piece: Rgba = np.ascontiguousarray(layer.image[y0:y1, x0:x1])
    if blur_px > 0 and layer.depth < _SHARP:
        sigma = blur_px / zoom * (1.0 - layer.depth / _SHARP * 0.5)
        piece = np.asarray(
            cv2.GaussianBlur(piece, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8
        )
    wide, tall = max(1, round((x1 - x0) * zoom)), max(1, round((y1 - y0) * zoom))
    grown = cv2.resize(piece, (wide, tall), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    left = round(focus_x + (layer.left + x0 - focus_x) * zoom)
    top = round(focus_y + (layer.top + y0 - focus_y) * zoom)
    known = layer.opaque_from <= layer.image.shape[0]
    motion = layer.motion
    return replace(
        layer,
        image=grown,
        left=left,
        top=top,
        opaque_from=opaque_from(grown) if known else layer.opaque_from,
        motion=replace(
            motion,
            drift=motion.drift * zoom,
            sway=motion.sway * zoom,
            slide=motion.slide * zoom,
            heave=motion.heave * zoom,
        ),
    )


def _needed(layer: Layer, lens: Lens, sheet: Sheet) -> tuple[int, int, int, int]:
    """The part of the image that can come into view: x0, x1, y0, y1 in its pixels."""
    frame: Geometry = sheet.geometry
    zoom, share = lens.zoom_at(layer.depth), depth_share(layer.depth)
    tall, wide = layer.image.shape[:2]
    beside = frame.width * (sheet.across * share + _SPARE) + 4 + abs(layer.motion.slide) * zoom
    above = frame.height * (sheet.up_down * share + _SPARE) + 4 + abs(layer.motion.heave) * zoom
    focus_x, focus_y = frame.width * lens.x, frame.height * lens.y
    x0 = (focus_x + (-beside - focus_x) / zoom) - layer.left
    x1 = (focus_x + (frame.width + beside - focus_x) / zoom) - layer.left
    y0 = (focus_y + (-above - focus_y) / zoom) - layer.top
    y1 = (focus_y + (frame.height + above - focus_y) / zoom) - layer.top
    hinged = bool(layer.motion.sway or layer.motion.breath)  # own motion turns about the foot
    return (
        int(np.clip(np.floor(x0), 0, wide)),
        int(np.clip(np.ceil(x1), 0, wide)),
        int(np.clip(np.floor(y0), 0, tall)),
        tall if hinged and y1 > 0 else int(np.clip(np.ceil(y1), 0, tall)),
    )
