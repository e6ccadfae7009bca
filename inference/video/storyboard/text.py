"""Setting text: runs by face, lines by width, and their coverage masks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inference.video.storyboard.canvas import Mask
from inference.video.storyboard.fonts import Face, chain, face_for

_IDEOGRAPH = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_NO_LINE_START = frozenset(
    # closing marks of Chinese and Japanese
    "、。，．！？；：）」』】》〉”’…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?;:)"
)
_RTL = {"R", "AL"}
_JOINERS = {"\u200c", "\u200d", "\ufe0e"}


@dataclass(frozen=True)
class Run:
    """A piece of one line in one face."""

    text: str
    face: Face


@dataclass(frozen=True)
class Setting:
    """How to set: size in pixels, serif or not, bold or not."""

    size_px: int
    serif: bool = True
    bold: bool = False


def cleaned(text: str) -> str:
    """The text without control characters, with single spaces, in composed form."""
    composed = unicodedata.normalize("NFC", text)
    kept = (
        one
        if one in _JOINERS or unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
        else " "
        for one in composed
    )
    return " ".join("".join(kept).split())


def is_rtl(text: str) -> bool:
    """Whether the first strong character is written from right to left."""
    for one in text:
        kind = unicodedata.bidirectional(one)
        if kind in _RTL:
            return True
        if kind == "L":
            return False
    return False


def runs_of(text: str, setting: Setting) -> list[Run]:
    """Split a line by face; what no face can show is left out rather than drawn as a box."""
    bare = [one for one in text if not one.isspace() and one not in _JOINERS]
    # One face for all is best: the shaper then sees the whole line. Faces load as they are tried.
    for face in chain(text, serif=setting.serif, bold=setting.bold):
        if bare and all(face.coverage.has(one) for one in bare):
            return [Run(text, face)]
    faces = tuple(chain(text, serif=setting.serif, bold=setting.bold))
    runs: list[Run] = []
    for one in text:
        neutral = one.isspace() or unicodedata.combining(one) or one in _JOINERS
        if neutral and runs:
            runs[-1] = Run(runs[-1].text + one, runs[-1].face)
            continue
        found = face_for(one, faces)
        if runs and runs[-1].face.coverage.has(one) and runs[-1].face.name != "serif":
            found = runs[-1].face  # as few changes of face as possible
        if found is None:
            continue
        if runs and runs[-1].face == found:
            runs[-1] = Run(runs[-1].text + one, found)
        else:
            runs.append(Run(one, found))
    return runs


def _length(run: Run, size_px: int) -> float:
    return run.face.at(size_px).getlength(run.text)


@lru_cache(maxsize=4096)
def width_of(text: str, setting: Setting) -> float:
    """The width of a line in pixels."""
    return sum(_length(run, setting.size_px) for run in runs_of(text, setting))


def _pieces(text: str) -> list[str]:
    """The text in pieces between which a line may break; spaces stay with the piece before."""
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*", text):
        rest = ""
        for one in word:
            if _IDEOGRAPH.match(one) and one not in _NO_LINE_START:
                if rest:
                    pieces.append(rest)
                rest = one
            else:
                rest += one
        if rest:
            pieces.append(rest)
    return pieces


def wrapped(text: str, width_px: float, setting: Setting) -> list[str]:
    """Break a cleaned text into lines no wider than `width_px`; over-long words are cut."""
    lines: list[str] = []
    line, line_width = "", 0.0
    for piece in _pieces(text):
        piece_width = width_of(piece.rstrip(), setting)
        spaced_width = width_of(piece, setting)
        if line and line_width + piece_width > width_px:
            lines.append(line.rstrip())
            line, line_width = "", 0.0
        if piece_width > width_px:
            for one in piece:
                one_width = width_of(one, setting)
                if line and line_width + one_width > width_px:
                    lines.append(line)
                    line, line_width = "", 0.0
                line, line_width = line + one, line_width + one_width
            continue
        line, line_width = line + piece, line_width + spaced_width
    if line.strip():
        lines.append(line.rstrip())
    return lines


def balanced(text: str, width_px: float, setting: Setting) -> list[str]:
    """Wrapped lines of about equal width, which read better than a full line and an orphan."""
    lines = wrapped(text, width_px, setting)
    if len(lines) < 2 or len(lines) > 3:  # noqa: PLR2004 - only short captions are balanced
        return lines
    low, high = width_px * 0.45, width_px
    for _ in range(6):
        middle = (low + high) / 2
        if len(wrapped(text, middle, setting)) > len(lines):
            low = middle
        else:
            high = middle
    return wrapped(text, high, setting)


def line_height(setting: Setting) -> int:
    """Pixels from one baseline to the next."""
    return round(setting.size_px * 1.36)


def set_lines(lines: Sequence[str], setting: Setting, *, align: str = "centre") -> Mask:
    """The coverage mask of some lines, tight in width, `line_height` a line."""
    high = line_height(setting)
    widths = [width_of(line, setting) for line in lines]
    wide = max(1, round(max(widths, default=1.0)) + setting.size_px // 2)
    picture = Image.new("L", (wide, high * max(1, len(lines)) + setting.size_px // 3), 0)
    draw = ImageDraw.Draw(picture)
    for at, line in enumerate(lines):
        free = wide - widths[at]
        x = free / 2 if align == "centre" else (free if is_rtl(line) else 0.0)
        _draw_line(draw, line, x, high * at + round(setting.size_px * 1.02), setting)
    return np.asarray(picture, np.uint8).copy()


def _draw_line(
    draw: ImageDraw.ImageDraw, line: str, x: float, baseline: int, setting: Setting
) -> None:
    runs = runs_of(line, setting)
    if is_rtl(line):
        runs = runs[::-1]
    for run in runs:
        font: ImageFont.FreeTypeFont = run.face.at(setting.size_px)
        draw.text((x, baseline), run.text, fill=255, font=font, anchor="ls")
        x += font.getlength(run.text)
