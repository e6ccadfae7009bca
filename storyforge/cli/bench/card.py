"""Draws the result card: what a card can do, as one picture that people would share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from inference.video.storyboard.film import Film
from inference.video.storyboard.plan import compose
from pipelines.bench.drawn_clip import bench_request
from pipelines.bench.subject import Size
from storyforge.cli.bench.lettering import Pen
from storyforge.domain.profile import ClipFigures, DeviceProfile, ModelFigures

WIDTH, HEIGHT = 1600, 900
_MARGIN = 84
_ROWS_MAX = 3
_STILL = (960, 540)
_LATE_SECONDS = 20.0  # a storyboard's name tags are gone by the middle of such a take
_NAME_WIDTH = 860
_NAME_SIZES = (76, 64, 54, 46, 38)
_GIB = 1 << 30

_NIGHT = (14, 17, 27)
_PAPER = (244, 238, 226)
_SOFT = (176, 178, 190)
_AMBER = (247, 178, 84)
_LINE = (58, 63, 80)
# The stages in their order; text is so short that it is mostly a sliver.
_STAGES = (
    ("text", (126, 147, 196)),
    ("denoise", (247, 178, 84)),
    ("decode", (226, 112, 92)),
    ("encode", (122, 184, 148)),
)


@dataclass(frozen=True)
class _Row:
    """One clip on the card."""

    model: ModelFigures
    clip: ClipFigures


def draw_card(profile: DeviceProfile) -> Image.Image:
    """The card of a profile, 1600x900, with its first three clips."""
    picture = _background()
    pen = Pen(ImageDraw.Draw(picture))
    rows = [_Row(model, clip) for model in profile.models for clip in model.clips][:_ROWS_MAX]
    _draw_head(pen, profile)
    if rows:
        _draw_headline(pen, rows[0].clip)
        _draw_rows(pen, rows)
    _draw_foot(pen, profile, rows)
    return picture


def _background() -> Image.Image:
    """The shot that was filmed, at the top right, sinking into the night to the left and below."""
    wide, high = _STILL
    request = bench_request(Size(wide, high, 49), 24)
    shot = request.shot.model_copy(update={"seconds": _LATE_SECONDS})
    unnamed = request.model_copy(update={"shot": shot, "index": 1, "count": 3})
    film = Film(compose(unnamed), wide, high)
    still = np.asarray(film.still(0.5)[0], np.float32)
    across = np.clip(np.linspace(0.0, 2.2, wide), 0, 1)[None, :]
    down = np.clip(np.linspace(3.0, 0.0, high), 0, 1)[:, None]
    share = (across * down)[..., None] ** 1.5 * 0.9
    night = np.array(_NIGHT, np.float32)
    shown = (still * share + night * (1 - share)).astype(np.uint8)
    picture = Image.new("RGB", (WIDTH, HEIGHT), _NIGHT)
    picture.paste(Image.fromarray(shown), (WIDTH - wide, 0))
    return picture


def _draw_head(pen: Pen, profile: DeviceProfile) -> None:
    pen.rectangle(_MARGIN, 88, 44, 6, _AMBER)
    pen.write("STORYFORGE BENCH", _MARGIN + 62, 99, 21, _SOFT, spaced=3)
    name = "CPU" if profile.device == "cpu" else profile.device
    fitting = (one for one in _NAME_SIZES if pen.width(name, one, serif=True) <= _NAME_WIDTH)
    size = next(fitting, _NAME_SIZES[-1])
    pen.write(name, _MARGIN, 196, size, _PAPER, serif=True)
    facts = [f"{profile.total_bytes / _GIB:.0f} GiB"] if profile.total_bytes else []
    facts += [f"{one.tflop_per_s:,.3g} TFLOP/s {one.precision}" for one in profile.matrix_peaks[:2]]
    facts.append(f"torch {profile.torch.split('+')[0]}")
    pen.write("  ·  ".join(facts), _MARGIN, 252, 25, _SOFT)


def _draw_headline(pen: Pen, clip: ClipFigures) -> None:
    """The figures that the card is about, as large as they deserve."""
    figures: list[tuple[str, str]] = []
    run = clip.back_to_back
    if run is not None:
        figures.append((_short(run.video_seconds_per_hour), "seconds of film an hour"))
    else:
        figures.append((_seconds(_total_s(clip)), "seconds a clip"))
    if clip.naive is not None:
        figures.append((f"{clip.naive.ratio:.2f}x", "the speed of plain diffusers"))
    share = clip.stages.denoise.share_of_peak
    if share is not None:
        figures.append((f"{share:.0%}", "of the matrix peak, denoising"))
    left: float = _MARGIN
    for number, (value, words) in enumerate(figures):
        size = 124 if number == 0 else 72
        pen.write(value, left, 432, size, _AMBER if number == 0 else _PAPER, serif=True)
        pen.write(words, left + 3, 480, 22, _SOFT)
        left += max(pen.width(value, size, serif=True), pen.width(words, 22)) + 64


def _draw_rows(pen: Pen, rows: Sequence[_Row]) -> None:
    """A clip a row: what it is, where its time goes, what it costs."""
    longest_s = max(_total_s(row.clip) for row in rows)
    top = 518
    for row in rows:
        clip, shape = row.clip, row.clip.shape
        pen.rectangle(_MARGIN, top, WIDTH - 2 * _MARGIN, 1, _LINE)
        pen.write(shape.model, _MARGIN, top + 40, 27, _PAPER, bold=True)
        size = f"{shape.width} x {shape.height}, {shape.frames} frames, {shape.steps} steps"
        pen.write(size, _MARGIN, top + 69, 20, _SOFT)
        _draw_bar(pen, clip, 520, top + 27, 620 * _total_s(clip) / longest_s)
        pen.write(f"{_seconds(_total_s(clip))} s", 1176, top + 52, 30, _PAPER, bold=True)
        pen.write(_cost(clip), 1306, top + 51, 21, _SOFT)
        top += 88
    left = 520.0
    for name, colour in _STAGES:
        pen.rectangle(left, top + 12, 16, 16, colour)
        pen.write(name, left + 26, top + 27, 20, _SOFT)
        left += 44 + pen.width(name, 20) + 16


def _draw_bar(pen: Pen, clip: ClipFigures, left: float, top: float, width: float) -> None:
    total_s = _total_s(clip)
    for name, colour in _STAGES:
        share = getattr(clip.stages, name).seconds / total_s
        pen.rectangle(left, top, max(2.0, width * share - 2), 28, colour)
        left += width * share


def _draw_foot(pen: Pen, profile: DeviceProfile, rows: Sequence[_Row]) -> None:
    notes = []
    if any(row.model.random_weights for row in rows):
        notes.append("random weights: timing only")
    attention = sorted({row.model.attention for row in rows if row.model.attention})
    if attention:
        notes.append(f"attention: {', '.join(attention)}")
    if profile.encoder is not None:
        notes.append(f"encoder: {profile.encoder.name}, {profile.encoder.fps:.0f} frames/s")
    said = "  ·  ".join([*notes, f"diffusers {profile.diffusers}"])
    pen.write(said, _MARGIN, HEIGHT - 42, 19, _SOFT)
    day = f"{profile.made_at.day} {profile.made_at:%B %Y}"
    pen.write(day, WIDTH - _MARGIN - pen.width(day, 19), HEIGHT - 42, 19, _SOFT)


def _cost(clip: ClipFigures) -> str:
    parts = []
    if clip.energy_joules is not None:
        parts.append(f"{clip.energy_joules / 1000:.1f} kJ")
    if clip.peak_bytes:
        parts.append(f"{clip.peak_bytes / _GIB:.1f} GiB")
    return "  ·  ".join(parts)


def _total_s(clip: ClipFigures) -> float:
    stages = clip.stages
    parts = (stages.text, stages.denoise, stages.decode, stages.encode)
    return max(1e-9, sum(one.seconds for one in parts))


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"  # noqa: PLR2004 - two digits
