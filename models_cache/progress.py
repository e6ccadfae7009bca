"""How a pull or a check tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of the work; may be called from several threads."""

    def begin(self, doing: str, total_bytes: int, done_bytes: int) -> None:
        """A new piece of work of that many bytes, of which some are done already."""
        ...

    def advance(self, count: int) -> None:
        """So many bytes more; negative when some have to be done again."""
        ...

    def say(self, text: str) -> None:
        """A line worth reading."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, doing: str, total_bytes: int, done_bytes: int) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""
