"""A bounded channel between two threads that a third can break off."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class BrokenOff(Exception):
    """The channel was broken off; whoever waits on it ends."""


class Channel(Generic[ItemT]):
    """First in, first out, at most `capacity` items; one writer, one reader."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[ItemT] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._broken = False

    def put(self, item: ItemT) -> None:
        """Wait for room, then add; raises BrokenOff once the channel is broken off."""
        with self._changed:
            self._changed.wait_for(lambda: self._broken or len(self._items) < self._capacity)
            if self._broken:
                raise BrokenOff
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Say that nothing more comes; what is inside can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def break_off(self) -> None:
        """End both sides at once and let go of what is inside."""
        with self._changed:
            self._broken = True
            self._items.clear()
            self._changed.notify_all()

    def take(self) -> ItemT | None:
        """Wait for the next item; None once the channel is closed and empty.

        Raises BrokenOff. (Not an iterator: that would hold on to an item until the next one.)
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._items or self._closed)
            if self._broken:
                raise BrokenOff
            item = self._items.popleft() if self._items else None
            self._changed.notify_all()
            return item
