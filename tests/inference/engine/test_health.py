"""What counts as life of an engine."""

from __future__ import annotations

from inference.language.engine.health import EngineState, Look, Pulse, judge

WELL = Pulse(EngineState.AWAKE, well_at_s=100.0, generated=50.0)


def test_a_token_is_life() -> None:
    after = judge(WELL, Look(answered=True, sleeping=False, generated=51.0), 900.0, 30.0)
    assert after == Pulse(EngineState.AWAKE, 900.0, 51.0)


def test_tokens_for_others_are_life_though_the_probe_had_to_wait() -> None:
    after = judge(WELL, Look(answered=False, sleeping=False, generated=51.0), 900.0, 30.0)
    assert after == Pulse(EngineState.BUSY, 900.0, 51.0)


def test_routes_that_answer_are_none() -> None:
    still = Look(answered=False, sleeping=False, generated=50.0)
    assert judge(WELL, still, 120.0, 30.0).state is EngineState.BUSY
    assert judge(WELL, still, 131.0, 30.0).state is EngineState.HUNG


def test_silence_on_every_route_is_none_either() -> None:
    assert (
        judge(WELL, Look(answered=False, sleeping=None, generated=None), 131.0, 30.0).state
        is EngineState.HUNG
    )


def test_sleep_is_well_however_long_and_waking_starts_the_clock_anew() -> None:
    asleep = judge(WELL, Look(answered=False, sleeping=True, generated=50.0), 900.0, 30.0)
    assert asleep == Pulse(EngineState.ASLEEP, 900.0, 50.0)
    assert (
        judge(asleep, Look(answered=False, sleeping=False, generated=50.0), 925.0, 30.0).state
        is EngineState.BUSY
    )


def test_a_counter_that_began_anew_is_no_life() -> None:
    after = judge(WELL, Look(answered=False, sleeping=False, generated=3.0), 131.0, 30.0)
    assert after.state is EngineState.HUNG
