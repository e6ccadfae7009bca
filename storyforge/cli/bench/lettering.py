"""Writes and draws on a picture with the faces that our films' captions are set in."""

from __future__ import annotations

from typing import TypeAlias

from PIL import ImageDraw, ImageFont

from inference.video.storyboard.fonts import chain

_ON_BASELINE = "ls"  # so that sizes and faces stand on one line
Colour: TypeAlias = tuple[int, int, int]


class Pen:
    """Draws in pixels from the top left. serif: Literata; else FiraGO; bold: its bold face."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def write(
        self,
        text: str,
        left: float,
        baseline: float,
        size_px: int,
        colour: Colour,
        *,
        serif: bool = False,
        bold: bool = False,
        spaced: int = 0,
    ) -> None:
        """One line, standing on `baseline`. spaced: pixels between its letters besides the face's own."""
        font = _font(text, size_px, serif=serif, bold=bold)
        if not spaced:
            self._draw.text((left, baseline), text, colour, font, anchor=_ON_BASELINE)
            return
        for letter in text:
            self._draw.text((left, baseline), letter, colour, font, anchor=_ON_BASELINE)
            left += font.getlength(letter) + spaced

    def width(self, text: str, size_px: int, *, serif: bool = False) -> float:
        """Of one line, in pixels."""
        return float(_font(text, size_px, serif=serif, bold=False).getlength(text))

    def rectangle(
        self, left: float, top: float, width: float, height: float, colour: Colour
    ) -> None:
        """A filled one; its corners are round when it is high enough to show that."""
        box = (left, top, left + width, top + height)
        self._draw.rounded_rectangle(box, radius=min(width, height) / 5, fill=colour)


def _font(text: str, size_px: int, *, serif: bool, bold: bool) -> ImageFont.FreeTypeFont:
    return next(iter(chain(text, serif=serif, bold=bold))).at(size_px)
