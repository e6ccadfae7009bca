"""When a queued job will be filmed: its place in line, and seconds until it is on film."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from storyforge.domain.film_cost import FilmCost
from storyforge.domain.film_shape import FilmShape
from storyforge.domain.job import STAGE_END_PERCENT, Lane, Stage

_ASSUMED_SHOT_S = 5.0  # before a script says it: the length that most models film best
_START, _END = STAGE_END_PERCENT[Stage.PREVIEW], STAGE_END_PERCENT[Stage.ENCODE_HLS]


@dataclass(frozen=True)
class InLine:
    """A job that is written or filmed, or waits for that.

    key: of its film's shape, None before its script is written. target_s: the wanted length.
    filming: a device works on it. progress: of the whole job, in percent.
    """

    id: UUID
    lane: Lane
    filming: bool
    key: str | None
    target_s: float
    progress: int

    @property
    def lengths(self) -> tuple[float, ...]:
        """Seconds of each shot; assumed while nobody knows."""
        if self.key is not None:
            shape = FilmShape.parse(self.key)
            return tuple(count / shape.fps for count in shape.frames)
        whole, rest = divmod(self.target_s, _ASSUMED_SHOT_S)
        return (_ASSUMED_SHOT_S,) * int(whole) + ((rest,) if rest > 0 else ())

    @property
    def share_left(self) -> float:
        """How much of its filming is still to be done."""
        if not self.filming:
            return 1.0
        return min(1.0, max(0.0, (_END - self.progress) / (_END - _START)))


@dataclass(frozen=True)
class Outlook:
    """position: 0 while it is being filmed, else its place in line from 1; None outside the line.

    eta_s: until it is filmed, None when nobody knows. reason: what that rests on, in words.
    """

    position: int | None
    eta_s: float | None
    reason: str


def outlooks(
    line: Sequence[InLine], cost: Callable[[Sequence[float]], FilmCost], devices: int
) -> Mapping[UUID, Outlook]:
    """The outlook of every job in line, oldest first; those being filmed count as the first.

    cost: of shots of these lengths on one card. devices: how many film side by side. Jobs of a warm
    shape may go before older ones, so this is an expectation and no promise.
    """
    ordered = sorted(line, key=lambda one: (not one.filming, one.id))
    found: dict[UUID, Outlook] = {}
    ahead_s: float | None = 0.0
    gap = ""
    for place, one in enumerate(ordered, start=1):
        own = cost(one.lengths)
        own_s = None if own.gpu_seconds is None else own.gpu_seconds * one.share_left
        eta_s = None if own_s is None or ahead_s is None else _wait(one, ahead_s, devices) + own_s
        reason = own.reason if eta_s is not None or own_s is None else gap
        found[one.id] = Outlook(
            position=0 if one.filming else place,
            eta_s=None if eta_s is None else round(eta_s, 1),
            reason=reason,
        )
        if own_s is None or ahead_s is None:
            gap = gap or f"A job before it: {own.reason}"
            ahead_s = None
        else:
            ahead_s += own_s
    return found


def _wait(one: InLine, ahead_s: float, devices: int) -> float:
    return 0.0 if one.filming else ahead_s / max(1, devices)
