"""Words over the picture: captions in the lower third, the slate, name tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.storyboard.canvas import Geometry, Mask, Rgba
from inference.video.storyboard.colour import Rgb, bytes_of
from inference.video.storyboard.plan import DrawingPlan, caption_pages
from inference.video.storyboard.text import (
    Setting,
    balanced,
    cleaned,
    line_height,
    set_lines,
    width_of,
    wrapped,
)
from storyforge.domain.script import CameraMove

_MIN_PX = 7  # below this nothing is readable and nothing is set
_FADE_SECONDS = 0.35
_INK: Rgb = (1.0, 0.985, 0.95)

_MOVES = {
    CameraMove.STATIC: "STATIC",
    CameraMove.PAN_LEFT: "PAN LEFT",
    CameraMove.PAN_RIGHT: "PAN RIGHT",
    CameraMove.TILT_UP: "TILT UP",
    CameraMove.TILT_DOWN: "TILT DOWN",
    CameraMove.PUSH_IN: "PUSH IN",
    CameraMove.PULL_OUT: "PULL OUT",
    CameraMove.TRACKING: "TRACKING",
    CameraMove.HANDHELD: "HANDHELD",
}


@dataclass(frozen=True)
class Sticker:
    """A finished piece of overlay at a fixed place, shown from `start` to `end` seconds."""

    image: Rgba
    left: int
    top: int
    start: float = 0.0
    end: float = 1e9
    fades: bool = True

    def strength(self, seconds: float) -> float:
        """How much of it shows at a moment, 0..1."""
        if not self.fades:
            return 1.0 if self.start <= seconds < self.end else 0.0
        fade = min(_FADE_SECONDS, max(0.05, (self.end - self.start) / 4))
        rise = (seconds - self.start) / fade + (1.0 if self.start <= 0 else 0.0)
        return float(min(1.0, max(0.0, min(rise, (self.end - seconds) / fade))))


def inked(cover: Mask, colour: Rgb, shadow_px: float) -> Rgba:
    """Letters of a colour with a soft dark halo, premultiplied."""
    pad = round(3 * shadow_px) + 1
    letters = cv2.copyMakeBorder(cover, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0,))
    halo = cv2.GaussianBlur(letters, (0, 0), max(0.6, shadow_px))
    halo = cv2.convertScaleAbs(halo, alpha=1.5)
    r, g, b = (cv2.convertScaleAbs(letters, alpha=part / 255) for part in bytes_of(colour))
    alpha = cv2.max(letters, cv2.convertScaleAbs(halo, alpha=0.75))
    return cv2.merge([r, g, b, alpha]).astype(np.uint8)


def lower_shade(geometry: Geometry, lines: int, setting: Setting) -> Sticker:
    """The soft darkness that captions lie on."""
    tall = min(geometry.height, round(line_height(setting) * (lines + 1.9)))
    curve = np.linspace(0, 1, tall, dtype=np.float32)
    ease = curve * curve * (3 - 2 * curve)
    image = np.zeros((tall, geometry.width, 4), np.uint8)
    image[..., 3] = (ease * 168)[:, None].astype(np.uint8)
    image[..., 2] = (ease * 12)[:, None].astype(np.uint8)
    return Sticker(image, 0, geometry.height - tall, fades=False)


def caption_stickers(plan: DrawingPlan, geometry: Geometry, *, serif: bool) -> list[Sticker]:
    """The narration in pages over the take, with the shade under them; none when it is empty."""
    text = cleaned(plan.caption)
    portrait = geometry.height > geometry.width
    size = max(_MIN_PX, round(geometry.unit * (0.046 if not portrait else 0.050)))
    width = geometry.width * (0.84 if not portrait else 0.88)
    a_page = 2 if not portrait else 4
    setting, pages = Setting(size, serif=serif), list[tuple[str, ...]]()
    for _ in range(6):
        lines = balanced(text, width, setting)
        pages = caption_pages(lines, a_page)
        # About 0.9 s is the least in which a page can be taken in.
        if len(pages) * 0.9 <= plan.seconds or setting.size_px <= max(_MIN_PX, size * 0.66):
            break
        setting = Setting(max(_MIN_PX, round(setting.size_px * 0.9)), serif=serif)
        a_page = min(a_page + 1, 5 if not portrait else 8)
    if not pages or not any(pages):
        return []
    weights = np.array([sum(len(line) for line in page) + 12 for page in pages], np.float64)
    ends = np.cumsum(weights / weights.sum()) * plan.seconds
    stickers = [lower_shade(geometry, max(len(page) for page in pages), setting)]
    for at, page in enumerate(pages[:400]):
        start = float(ends[at - 1]) if at else 0.0
        end = float(ends[at]) if at + 1 < len(pages) else 1e9
        image = inked(set_lines(page, setting), _INK, size * 0.09)
        left = (geometry.width - image.shape[1]) // 2
        top = geometry.height - image.shape[0] - round(line_height(setting) * 0.42)
        stickers.append(Sticker(image, left, top, start, end))
    return stickers


def slate_sticker(plan: DrawingPlan, geometry: Geometry) -> Sticker | None:
    """The discreet card at the top left: shot n/N, the move, where."""
    size = round(geometry.unit * 0.026)
    if size < _MIN_PX:
        return None
    setting = Setting(size, serif=False, bold=True)
    parts = [f"{plan.index + 1}/{plan.count}", _MOVES[plan.camera]]
    place = cleaned(plan.place_name)[:40]
    if place:
        parts.append(place.upper())
    if plan.unseen:
        parts.append(f"+{plan.unseen}")
    text = wrapped("   ".join(parts), geometry.width * 0.7, setting)[0]
    text = "   ".join(part for part in parts if part in text) or parts[0]
    icon = round(size * 1.5)
    letters = set_lines([text], setting, align="start")
    tall, pad = round(size * 2.1), round(size * 0.7)
    wide = round(width_of(text, setting)) + icon + 3 * pad
    cover = _rounded(wide, tall, tall // 2)
    image = np.zeros((tall, wide, 4), np.uint8)
    image[..., 3] = cv2.convertScaleAbs(cover, alpha=0.46)
    _paste(image, letters, icon + 2 * pad, (tall - round(size * 1.42)) // 2, 0.92)
    _icon(image, plan.camera, pad + icon / 2, tall / 2, icon / 2)
    margin = round(geometry.unit * 0.03)
    return Sticker(image, margin, margin, fades=False)


def name_tag(name: str, geometry: Geometry, accent: Rgb) -> Rgba | None:
    """A small plate with a character's name, for over the head; None when it cannot be read."""
    size = round(geometry.unit * 0.028)
    text = cleaned(name)
    if size < _MIN_PX or not text:
        return None
    setting = Setting(size, serif=False, bold=True)
    line = wrapped(text, geometry.width * 0.24, setting)
    letters = set_lines(line[:1], setting, align="start")
    pad = round(size * 0.75)
    wide, tall = round(width_of(line[0], setting)) + 2 * pad + round(size * 0.6), round(size * 1.9)
    cover = _rounded(wide, tall, tall // 2)
    image = np.zeros((tall, wide, 4), np.uint8)
    image[..., 3] = cv2.convertScaleAbs(cover, alpha=0.58)
    dot = round(size * 0.28)
    cv2.circle(image, (pad, tall // 2), max(1, dot), (*bytes_of(accent), 255), -1, cv2.LINE_AA)
    _paste(image, letters, pad + round(size * 0.6), (tall - round(size * 1.42)) // 2, 0.95)
    return image


def _paste(image: Rgba, letters: Mask, x: int, y: int, strength: float) -> None:
    tall = min(letters.shape[0], image.shape[0] - max(0, y))
    wide = min(letters.shape[1], image.shape[1] - x)
    if tall <= 0 or wide <= 0:
        return
    ink = cv2.convertScaleAbs(np.ascontiguousarray(letters[:tall, :wide]), alpha=strength)
    part = image[max(0, y) : max(0, y) + tall, x : x + wide]
    np.maximum(part, cv2.merge([ink, ink, ink, ink]), out=part)


def _rounded(wide: int, tall: int, radius: int) -> Mask:
    cover = np.zeros((tall, wide), np.uint8)
    half = (tall - 1) / 2
    rows = np.abs(np.arange(tall) - half)[:, None]
    columns = np.arange(wide)[None, :]
    inside = np.maximum(0, np.maximum(radius - 0.5 - columns, columns - (wide - radius - 0.5)))
    away = np.sqrt(inside**2 + np.minimum(rows, radius) ** 2)
    cover[:] = (np.clip(half + 0.5 - away, 0, 1) * 255).astype(np.uint8)
    return cover


def _icon(image: Rgba, move: CameraMove, x: float, y: float, r: float) -> None:
    """The move as arrows."""
    arrows: Sequence[tuple[float, float]] = {
        CameraMove.PAN_LEFT: ((-1.0, 0.0),),
        CameraMove.PAN_RIGHT: ((1.0, 0.0),),
        CameraMove.TRACKING: ((1.0, 0.0), (0.3, 0.0)),
        CameraMove.TILT_UP: ((0.0, -1.0),),
        CameraMove.TILT_DOWN: ((0.0, 1.0),),
    }.get(move, ())
    ink = (235, 235, 235, 235)

    def fixed(points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        return np.round(np.array(points) * 16).astype(np.int32)

    for dx, dy in arrows:
        tip = (x + dx * r, y + dy * r)
        wide = r * 0.62
        back = (
            tip[0] - (dx / max(abs(dx), 1e-6) * r * 0.9 if dx else 0.0),
            tip[1] - (dy / max(abs(dy), 1e-6) * r * 0.9 if dy else 0.0),
        )
        sides = [(back[0], back[1] - wide), (back[0], back[1] + wide)]
        if dy:
            sides = [(back[0] - wide, back[1]), (back[0] + wide, back[1])]
        cv2.fillPoly(image, [fixed([tip, *sides])], ink, cv2.LINE_AA, 4)
    if arrows:
        return
    inner, outer = (0.75, 0.40) if move is CameraMove.PULL_OUT else (0.40, 0.75)
    cv2.circle(image, (round(x), round(y)), max(1, round(r * outer)), ink, 1, cv2.LINE_AA)
    if move in {CameraMove.PUSH_IN, CameraMove.PULL_OUT}:
        cv2.circle(image, (round(x), round(y)), max(1, round(r * inner)), ink, 1, cv2.LINE_AA)
    else:
        cv2.circle(image, (round(x), round(y)), max(1, round(r * 0.25)), ink, -1, cv2.LINE_AA)
