"""The language model's servers as one: the same story to the same server, failing ones left alone."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from inference.language.agent.breaker import Breaker
from inference.language.agent.chat_server import ChatRequest, ChatServer, Reply
from inference.language.agent.tokens import estimated_tokens
from inference.language.engine.control import VllmControl
from inference.language.model import WriteWatch
from storyforge import clock
from storyforge.errors import ModelLoading, WriterUnreachable

T = TypeVar("T")
_LEAST_COUNTED = 200  # estimated tokens; a short text tells little about the ratio


@dataclass
class _Line:
    """One server with what this process knows of it."""

    url: str
    control: VllmControl
    breaker: Breaker = field(default_factory=Breaker)
    models: Mapping[str, int] | None = None


class Engines:
    """Chats with whichever server should and can; knows how many tokens its texts have.

    model: the name by which the servers know it; empty takes the only one that they serve.
    Lock rule: `_lock` guards breakers, models and the ratio, and is never held over I/O.
    """

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        key: str = "",
        *,
        context_tokens: int,
        bounded_strings: bool,
    ) -> None:
        self._lines = [_Line(url, VllmControl(url, key)) for url in urls]
        self._model = model
        self._key = key
        self._context_tokens = context_tokens
        self._lock = threading.Lock()
        self._ratio = 1.0
        self.bounded_strings = bounded_strings

    @property
    def ratio(self) -> float:
        """Real tokens to an estimated one, the most seen so far."""
        with self._lock:
            return self._ratio

    def context_tokens(self, affinity: str) -> int:
        """How long question and answer may be together. Raises Unavailable."""
        line = self._choose(affinity)
        served = self._guarded(line, lambda: self._models(line)).get(self._name(line), 0)
        return min(self._context_tokens, served) if served else self._context_tokens

    def calibrate(self, text: str, affinity: str) -> bool:
        """Count this text for real; True when it has more tokens than was estimated so far."""
        estimated = estimated_tokens(text)
        if estimated < _LEAST_COUNTED:
            return False
        line = self._choose(affinity)
        counted = self._guarded(line, lambda: line.control.count_tokens(self._name(line), text))
        with self._lock:
            if counted is None or counted <= estimated * self._ratio:
                return False
            self._ratio = counted / estimated * 1.02  # other texts of the kind differ a little
            return True

    def chat(self, request: ChatRequest, affinity: str, watch: WriteWatch) -> Reply:
        """Ask the server that suits. Raises Unavailable, also while all of them rest."""
        line = self._choose(affinity)

        def work() -> Reply:
            self._require_awake(line)
            return ChatServer(line.url, self._name(line), self._key).chat(request, watch)

        return self._guarded(line, work)

    def _choose(self, affinity: str) -> _Line:
        """The server of this affinity, or the next one that does not rest."""
        now_s = clock.monotonic_s()
        ranked = sorted(self._lines, key=lambda line: _rank(affinity, line.url))
        with self._lock:
            waits = [line.breaker.wait_s(now_s) for line in ranked]
        for line, wait_s in zip(ranked, waits, strict=True):
            if wait_s <= 0:
                return line
        raise WriterUnreachable(
            "The language model's server failed several times in a row and is left alone for "
            f"{min(waits):.0f} s.",
            max(1.0, min(waits)),
        )

    def _guarded(self, line: _Line, work: Callable[[], T]) -> T:
        """Do it, and tell the breaker how it went; sleep is no failure, nor is a cancel."""
        try:
            result = work()
        except ModelLoading:
            raise
        except WriterUnreachable:
            with self._lock:
                line.breaker = line.breaker.after_failure(clock.monotonic_s())
                line.models = None  # another one may come back
            raise
        with self._lock:
            line.breaker = line.breaker.after_success()
        return result

    def _require_awake(self, line: _Line) -> None:
        """A request to a sleeping vLLM would hang until it wakes."""
        if line.control.is_sleeping():
            raise ModelLoading(
                "The language model sleeps while its card renders; the job waits for it.", 10.0
            )

    def _models(self, line: _Line) -> Mapping[str, int]:
        if line.models is None:
            found = line.control.models()
            with self._lock:
                line.models = found
        return line.models or {}

    def _name(self, line: _Line) -> str:
        if self._model:
            return self._model
        served = list(self._models(line))
        if len(served) != 1:
            names = ", ".join(served) or "none"
            raise WriterUnreachable(
                f"The language model's server serves {names}; name one of them with "
                "STORYFORGE_WRITER_MODEL.",
                30.0,
            )
        return served[0]


def _rank(affinity: str, url: str) -> bytes:
    """Rendezvous hashing: a server that goes or comes moves only its own share of stories."""
    return hashlib.sha256(f"{affinity}\0{url}".encode()).digest()
