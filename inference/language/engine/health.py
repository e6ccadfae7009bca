"""Whether a running engine is well, judged from what was seen of it: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineState(StrEnum):
    """What an engine does, as its row and health tell it."""

    STARTING = "starting"
    AWAKE = "awake"
    BUSY = "busy"  # it did not answer the probe in time, but its work goes on
    ASLEEP = "asleep"
    HUNG = "hung"


@dataclass(frozen=True)
class Look:
    """One look at it: whether a token came, whether it says that it sleeps, its token counter.

    sleeping, generated: None when it did not even say that.
    """

    answered: bool
    sleeping: bool | None
    generated: float | None


@dataclass(frozen=True)
class Pulse:
    """What is known of an engine; `well_at_s` is when it last showed life (monotonic)."""

    state: EngineState
    well_at_s: float
    generated: float = 0.0


def judge(before: Pulse, look: Look, now_s: float, deadline_s: float) -> Pulse:
    """The pulse after a look.

    A token that comes, and tokens that come for others, are life; so is sleep, which generates
    nothing. A route that answers 200 is not: vLLM's do so while the engine hangs.
    """
    generated = before.generated if look.generated is None else look.generated
    if look.sleeping:
        return Pulse(EngineState.ASLEEP, now_s, generated)
    if look.answered:
        return Pulse(EngineState.AWAKE, now_s, generated)
    if generated > before.generated:
        return Pulse(EngineState.BUSY, now_s, generated)
    if now_s - before.well_at_s > deadline_s:
        return Pulse(EngineState.HUNG, before.well_at_s, generated)
    return Pulse(EngineState.BUSY, before.well_at_s, generated)
