"""When each narrated line is heard: with its shot, later when the one before still speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

PAUSE_S = 0.15  # between two lines that follow at once
# How much faster than the voice's own pace. Up to the first a listener hardly notices; the others
# only where a script has more words than film.
BOUNDS = (1.3, 1.6, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Wanted:
    """A line: its shot's place in the film, and how long it takes at the voice's own pace."""

    start_s: float
    shot_s: float
    spoken_s: float


def starts(lengths: Sequence[float]) -> list[float]:
    """Where shots of these lengths begin."""
    return [0.0, *accumulate(lengths)][: len(lengths)]


def speeds(lines: Sequence[Wanted], film_s: float) -> list[float]:
    """How fast each line is spoken, so that all of them are heard before the film ends.

    A line is hurried only as far as it needs to end with its shot, and by the least bound under
    which everything fits.
    """
    for bound in BOUNDS:
        chosen = [min(bound, max(1.0, line.spoken_s / line.shot_s)) for line in lines]
        lengths = [line.spoken_s / speed for line, speed in zip(lines, chosen, strict=True)]
        if sum(lengths) + PAUSE_S * max(0, len(lines) - 1) <= film_s:
            return chosen
    return [BOUNDS[-1]] * len(lines)


def places(lines: Sequence[Wanted], lengths: Sequence[float], film_s: float) -> list[float]:
    """When each line begins, in seconds. lengths: of the lines as they are spoken now.

    Not before its shot or the end of the line before; earlier only where the film would end first.
    """
    begins, free_s = [], 0.0
    for line, length in zip(lines, lengths, strict=True):
        begins.append(max(line.start_s, free_s))
        free_s = begins[-1] + length + PAUSE_S
    limit_s = film_s
    for place in reversed(range(len(begins))):
        begins[place] = max(0.0, min(begins[place], limit_s - lengths[place]))
        limit_s = begins[place] - PAUSE_S
    return begins
