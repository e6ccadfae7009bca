"""Lets renders and decodes share a model, or go one at a time when memory is short."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storyforge import clock
from storyforge.errors import NoDeviceFree

_LOOK_EVERY_S = 1.0
# Well below the 600 s after which a stage without progress ends its process.
PATIENCE_S = 300.0


class Turns:
    """Holders share unless one of them is alone; a thread never waits for itself.

    Lock rule: `_changed` guards the two lists and is never held while somebody's code runs. Who
    waits to be alone keeps newcomers out, or a stream of sharers would starve it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[tuple[int, bool]] = []
        self._wanting: list[int] = []

    @contextmanager
    def hold(
        self,
        *,
        alone: bool,
        meanwhile: Callable[[], None] = lambda: None,
        patience_s: float = PATIENCE_S,
    ) -> Iterator[None]:
        """Hold the model. meanwhile: called about every second of the wait; may raise to give up.

        Raises NoDeviceFree when the others do not end in time.
        """
        me = threading.get_ident()
        if alone:
            with self._changed:
                self._wanting.append(me)
        try:
            self._wait(me, alone, meanwhile, patience_s)
        finally:
            if alone:
                with self._changed:
                    self._wanting.remove(me)
                    self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held.remove((me, alone))
                self._changed.notify_all()

    def _wait(self, me: int, alone: bool, meanwhile: Callable[[], None], patience_s: float) -> None:
        deadline_s = clock.monotonic_s() + patience_s
        while True:
            with self._changed:
                if self._may_hold(me, alone):
                    self._held.append((me, alone))
                    return
                self._changed.wait(_LOOK_EVERY_S)
                if self._may_hold(me, alone):
                    continue
            if clock.monotonic_s() >= deadline_s:
                raise NoDeviceFree(
                    "The device has no memory for two shots at once, and the other one did not "
                    "end in time; this one is tried again."
                )
            meanwhile()

    def _may_hold(self, me: int, alone: bool) -> bool:
        mine = any(holder == me for holder, _alone in self._held)
        others = [other for holder, other in self._held if holder != me]
        if alone:
            return not others
        return not any(others) and (mine or not any(one != me for one in self._wanting))
