"""Turns on a model: shared, alone, and nobody waits for ever."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from inference.video.diffusion.turns import Turns
from storyforge.errors import NoDeviceFree


class Enough(Exception):
    """Given up while waiting."""


def _in_thread(turns: Turns, *, alone: bool) -> tuple[threading.Thread, threading.Event]:
    got = threading.Event()

    def work() -> None:
        with turns.hold(alone=alone):
            got.set()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, got


def test_sharers_go_side_by_side() -> None:
    turns = Turns()
    with turns.hold(alone=False):
        thread, got = _in_thread(turns, alone=False)
        assert got.wait(10)
    thread.join()


@pytest.mark.parametrize(("mine", "other"), [(True, False), (False, True), (True, True)])
def test_who_is_alone_waits_and_is_waited_for(*, mine: bool, other: bool) -> None:
    turns = Turns()
    with turns.hold(alone=mine):
        thread, got = _in_thread(turns, alone=other)
        assert not got.wait(0.2)
    assert got.wait(10)
    thread.join()


def test_a_stream_of_sharers_does_not_starve_who_wants_to_be_alone() -> None:
    turns = Turns()
    with ExitStack() as stack:
        stack.enter_context(turns.hold(alone=False))
        waiting, alone = _in_thread(turns, alone=True)
        while not turns._wanting:
            pass
        late, shared = _in_thread(turns, alone=False)
        assert not shared.wait(0.2), "it came after the one that wants to be alone"
        assert not alone.is_set()
    assert alone.wait(10)
    assert shared.wait(10)
    waiting.join()
    late.join()


def test_a_thread_never_waits_for_itself() -> None:
    turns = Turns()
    with turns.hold(alone=True), turns.hold(alone=True), turns.hold(alone=False):
        assert len(turns._held) == 3
    assert turns._held == []


def test_a_wait_may_be_given_up_and_ends_in_any_case() -> None:
    turns = Turns()
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with turns.hold(alone=True):
            held.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)

    def give_up() -> None:
        raise Enough

    with pytest.raises(Enough), turns.hold(alone=False, meanwhile=give_up):
        pass
    with pytest.raises(NoDeviceFree), turns.hold(alone=True, patience_s=0.0):
        pass
    release.set()
    thread.join()
    with turns.hold(alone=True):
        assert turns._wanting == []
