"""The Voice protocol: lines of text become speech; with the fake that tests and tools use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sound: TypeAlias = NDArray[np.float32]
"""Mono samples in -1..1, [n]."""
LINE_LIMIT_CHARS = 4000


@dataclass(frozen=True)
class Line:
    """What is said and how. language: ISO 639-1, or empty. speed: 1 is the voice's own pace."""

    text: str
    language: str = ""
    pitch: int = 50
    words_per_minute: int = 150
    speed: float = 1.0


@dataclass(frozen=True)
class Speech:
    """One spoken line."""

    samples: Sound
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return len(self.samples) / self.rate_hz


class Voice(Protocol):
    """Speaks lines; the same lines give the same speech."""

    @property
    def name(self) -> str:
        """Name and version; part of the key under which narration is saved."""
        ...

    def speak(self, lines: Sequence[Line]) -> Sequence[Speech]:
        """One speech for each line, in order. Raises Broken (NarrationFailed) or SetupProblem."""
        ...


class FakeVoice:
    """Hums: a tone of 80 ms a letter, so that lengths can be foretold."""

    name = "fake-voice/1"
    rate_hz = 16_000
    letter_s = 0.08

    def speak(self, lines: Sequence[Line]) -> Sequence[Speech]:
        """A tone whose height is the line's pitch."""
        return [self._hum(line) for line in lines]

    def _hum(self, line: Line) -> Speech:
        count = round(len(line.text) * self.letter_s / line.speed * self.rate_hz)
        at_s = np.arange(count) / self.rate_hz
        tone = 0.3 * np.sin(2 * np.pi * (100 + 4 * line.pitch) * at_s)
        return Speech(tone.astype(np.float32), self.rate_hz)
