"""Shows a profile as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from storyforge.domain.profile import ClipFigures, DeviceProfile, ModelFigures, StageFigures

_GIB = 1 << 30
_UNKNOWN = "-"


def show_profile(profile: DeviceProfile, console: Console) -> None:
    """The device, then each clip stage by stage, then what the clip is worth."""
    console.print(f"\n{device_line(profile)}", highlight=False)
    for model in profile.models:
        for clip in model.clips:
            console.print(f"\n{clip_title(model, clip)}", style="bold", highlight=False)
            console.print(_stages(clip))
            for line in clip_lines(clip):
                console.print(f"  {line}", highlight=False)
    if profile.encoder is not None:
        encoder = profile.encoder
        size = f"{encoder.width}x{encoder.height}"
        console.print(
            f"\nEncoder {encoder.name}: {encoder.fps:.0f} frames/s at {size} ({encoder.reason})",
            highlight=False,
        )
    for note in profile.notes:
        console.print(note, style="dim", highlight=False)


def device_line(profile: DeviceProfile) -> str:
    """The device in one line, with its matrix peaks."""
    peaks = ", ".join(f"{one.precision} {number(one.tflop_per_s)}" for one in profile.matrix_peaks)
    memory = f", {profile.total_bytes / _GIB:.0f} GiB" if profile.total_bytes else ""
    return f"{profile.device}{memory}: matrix peak {peaks} TFLOP/s, torch {profile.torch}"


def clip_title(model: ModelFigures, clip: ClipFigures) -> str:
    """Which clip it is, and how the model was run."""
    weights = ", random weights" if model.random_weights else ""
    compiled = ", compiled" if model.compiled else ""
    savings = f", to fit: {', '.join(model.savings)}" if model.savings else ""
    return f"{clip.shape.words}{weights} (attention {model.attention}{compiled}{savings})"


def clip_lines(clip: ClipFigures) -> Iterator[str]:
    """What a clip was seen to be worth, a line for each measurement that was made."""
    run = clip.back_to_back
    if run is not None:
        yield (
            f"{run.jobs} jobs back to back: {run.seconds / run.jobs:.2f} s a clip, device busy "
            f"{run.busy_share:.1%}, {run.gap_s:.3f} s between denoises, "
            f"{run.video_seconds_per_hour:.0f} s of film an hour"
        )
    if clip.naive is not None:
        yield (
            f"plain diffusers: {clip.naive.seconds:.2f} s a clip, "
            f"{clip.naive.ratio:.2f}x our time ({clip.naive.how})"
        )
    if clip.energy_joules is not None:
        yield f"energy: {clip.energy_joules / 1000:.1f} kJ a clip"
    alone = next((one for one in clip.fused if one.clips == 1), None)
    for one in clip.fused:
        if alone is not None and one.clips > 1:
            gain = alone.seconds_per_clip / one.seconds_per_clip
            yield f"{one.clips} clips in one pass: {one.seconds_per_clip:.2f} s each, {gain:.2f}x"
    for other in clip.vae_alternatives:
        ratio = other.seconds / clip.stages.decode.seconds
        yield f"decode in {other.precision}: {other.seconds:.2f} s, {ratio:.2f}x the time"


def number(value: float) -> str:
    """Three digits, whatever the size."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _stages(clip: ClipFigures) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  stage")
    for heading in ("seconds", "in", "TFLOP", "TFLOP/s", "of peak", "peak memory"):
        table.add_column(heading, justify="right")
    for name in ("text", "denoise", "decode", "encode"):
        table.add_row(f"  {name}", *_cells(getattr(clip.stages, name)))
    return table


def _cells(stage: StageFigures) -> Iterator[str]:
    yield f"{stage.seconds:.3f}"
    yield stage.precision or _UNKNOWN
    yield number(stage.flops / 1e12) if stage.flops else _UNKNOWN
    yield number(stage.tflop_per_s) if stage.tflop_per_s else _UNKNOWN
    yield f"{stage.share_of_peak:.1%}" if stage.share_of_peak else _UNKNOWN
    yield f"{stage.peak_bytes / _GIB:.2f} GiB" if stage.peak_bytes else _UNKNOWN
