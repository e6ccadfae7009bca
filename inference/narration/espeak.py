"""The built-in voice: eSpeak NG in a process of its own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from inference.narration.voice import LINE_LIMIT_CHARS, Line, Speech
from storyforge.errors import NarrationFailed

_CHILD = "inference.narration.espeak_child"
_TIMEOUT_S = 60.0  # ten minutes of speech take about two seconds
_HEAD = struct.Struct("<II")


class EspeakVoice:
    """Speaks a hundred languages, plainly."""

    name = "espeak-ng/1.52"

    def __init__(self, *, child: str = _CHILD, timeout_s: float = _TIMEOUT_S) -> None:
        self._child = child
        self._timeout_s = timeout_s

    def speak(self, lines: Sequence[Line]) -> Sequence[Speech]:
        """See the protocol."""
        if not lines:
            return []
        wishes = json.dumps([asdict(line) | {"text": _clean(line.text)} for line in lines])
        try:
            done = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
                [sys.executable, "-m", self._child],
                input=wishes.encode(),
                capture_output=True,
                timeout=self._timeout_s,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as exc:
            raise NarrationFailed(
                f"The narration could not be spoken ({type(exc).__name__}); is espeakng-loader "
                "installed? Retry the job, or ask for voicePreset none."
            ) from exc
        said = list(_speeches(done.stdout))
        if len(said) != len(lines):
            raise NarrationFailed(
                f"The voice spoke {len(said)} of {len(lines)} lines; retry the job, or ask for "
                "voicePreset none."
            )
        return said


def _clean(text: str) -> str:
    """Without what eSpeak would take for markup or for the end of the text."""
    return " ".join(text.replace("\0", " ").split())[:LINE_LIMIT_CHARS]


def _speeches(data: bytes) -> Iterator[Speech]:
    at = 0
    while at + _HEAD.size <= len(data):
        rate_hz, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if length % 2 or at + length > len(data):
            return  # not what our child writes
        samples = np.frombuffer(data[at : at + length], "<i2") / 32768
        at += length
        yield Speech(np.asarray(samples, np.float32), rate_hz)
