"""Compares two profiles: how much better or worse each figure of the second is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from storyforge.domain.profile import ClipFigures, DeviceProfile

# What two runs of the same thing differ by on a quiet machine is below this.
_NOISE = 0.03


@dataclass(frozen=True)
class Change:
    """One figure in both profiles. gain: above 1 the second is better, whatever the figure is."""

    clip: str
    figure: str
    first: float
    second: float
    gain: float

    @property
    def verdict(self) -> str:
        """In a word; differences as small as noise are none."""
        if abs(self.gain - 1) <= _NOISE:
            return "same"
        return "better" if self.gain > 1 else "worse"


def compared(first: DeviceProfile, second: DeviceProfile) -> Sequence[Change]:
    """Every figure that both have, clip by clip."""
    changes: list[Change] = []
    for model in first.models:
        for before in model.clips:
            after = second.exact(before.shape)
            if after is not None:
                changes += _changes(before, after)
    return changes


def only_in_one(first: DeviceProfile, second: DeviceProfile) -> Sequence[str]:
    """Clips that cannot be compared, in words."""
    return [
        f"{clip.shape.words}: only in the {where} profile"
        for where, one, other in (("first", first, second), ("second", second, first))
        for model in one.models
        for clip in model.clips
        if other.exact(clip.shape) is None
    ]


def show_comparison(first: DeviceProfile, second: DeviceProfile, console: Console) -> None:
    """A table of every figure that both have."""
    for place, one in (("first", first), ("second", second)):
        console.print(
            f"{place:>6}: {one.device}, torch {one.torch}, diffusers {one.diffusers}, "
            f"{one.made_at:%Y-%m-%d %H:%M}",
            highlight=False,
        )
    shown = ""
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("figure")
    for heading in ("first", "second", "gain", ""):
        table.add_column(heading, justify="right")
    for change in compared(first, second):
        if change.clip != shown:
            table.add_row(f"[bold]{change.clip}[/bold]")
            shown = change.clip
        colour = {"better": "green", "worse": "red"}.get(change.verdict, "dim")
        verdict = f"[{colour}]{change.verdict}[/{colour}]"
        values = (f"{value:.4g}" for value in (change.first, change.second))
        table.add_row(f"  {change.figure}", *values, f"{change.gain:.2f}x", verdict)
    console.print(table)
    for line in only_in_one(first, second):
        console.print(line, style="dim", highlight=False)


def _changes(before: ClipFigures, after: ClipFigures) -> Iterator[Change]:
    for name, read, less_is_better in _FIGURES:
        first, second = read(before), read(after)
        if first and second:
            gain = first / second if less_is_better else second / first
            yield Change(before.shape.words, name, first, second, gain)


def _seconds_of_several(clip: ClipFigures) -> float | None:
    run = clip.back_to_back
    return run.seconds / run.jobs if run is not None else None


_Read = Callable[[ClipFigures], float | None]
_FIGURES: Sequence[tuple[str, _Read, bool]] = (
    ("text, s", lambda clip: clip.stages.text.seconds, True),
    ("denoise, s", lambda clip: clip.stages.denoise.seconds, True),
    ("decode, s", lambda clip: clip.stages.decode.seconds, True),
    ("encode, s", lambda clip: clip.stages.encode.seconds, True),
    ("denoise, TFLOP/s", lambda clip: clip.stages.denoise.tflop_per_s, False),
    ("peak memory, GB", lambda clip: (clip.peak_bytes or 0) / 1e9, True),
    ("energy a clip, kJ", lambda clip: (clip.energy_joules or 0) / 1e3, True),
    ("a clip of several, s", _seconds_of_several, True),
    ("busy share", lambda clip: clip.back_to_back.busy_share if clip.back_to_back else None, False),
    ("against plain diffusers, x", lambda clip: clip.naive.ratio if clip.naive else None, False),
)
