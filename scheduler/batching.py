"""Decides which of the waiting jobs a film worker takes next, and which go along with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from storyforge.database.batches import Waiting


@dataclass(frozen=True)
class Wish:
    """What suits one device now.

    key: the shape that it filmed last, for which weights, kernels and prompts are warm; None at
    first. avoid: shapes that did not fit it. devices: how many film. most: jobs of one batch.
    patience_s, overtaken_most: who has waited longer, or was overtaken more often, goes first.
    """

    key: str | None
    most: int
    patience_s: float
    overtaken_most: int
    devices: int = 1
    avoid: frozenset[str] = frozenset()


def choose_batch(waiting: Sequence[Waiting], wish: Wish) -> tuple[UUID, ...]:
    """The jobs to claim together, the one that decided first; empty when none suits.

    waiting: due jobs, oldest first. The oldest of those who waited too long decides; else the
    oldest of the device's present shape; else the oldest. Older jobs of the same shape go along,
    but no more than this device's share, so that the others do not stand idle.
    """
    suiting = _suiting(waiting, wish)
    if not suiting:
        return ()
    first = _first(suiting, wish)
    if first.suspect or first.key is None:
        return (first.id,)
    alike = [one for one in suiting if one.key == first.key and not one.suspect]
    share = min(wish.most, math.ceil(len(alike) / max(1, wish.devices)))
    others = [one.id for one in alike if one is not first]
    return (first.id, *others[: max(1, share) - 1])


def _suiting(waiting: Sequence[Waiting], wish: Wish) -> Sequence[Waiting]:
    """What this device may take: what it cannot hold is for another one, while there is one."""
    if wish.devices <= 1:
        return waiting
    return [one for one in waiting if one.key not in wish.avoid]


def _first(suiting: Sequence[Waiting], wish: Wish) -> Waiting:
    for one in suiting:
        if one.waited_s >= wish.patience_s or one.overtaken >= wish.overtaken_most:
            return one
    warm = [one for one in suiting if one.key == wish.key and one.key is not None]
    return warm[0] if warm else suiting[0]
