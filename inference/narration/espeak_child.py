"""Speaks lines with eSpeak NG: JSON on standard input, 16-bit samples on standard output.

A program of its own: the library is not thread-safe, and it is GPL (docs/decisions).
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from typing import Any

import espeakng_loader

_RETRIEVAL = 1  # AUDIO_OUTPUT_SYNCHRONOUS - 1: samples come to the callback
_NO_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8 = 1
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_SLOWEST, _FASTEST = 80, 450  # words per minute that it can do
_FALLBACK = "en"
# Where eSpeak's name of a language is not the ISO 639-1 code.
_NAMES = {"zh": "cmn", "no": "nb", "": _FALLBACK}


class Speaker:
    """The library, opened once."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate_hz = self._library.espeak_Initialize(_RETRIEVAL, 0, data, _NO_EXIT)
        if self.rate_hz <= 0:
            raise OSError("eSpeak NG does not start")
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_char), ctypes.c_int, ctypes.c_void_p
        )
        self._samples = bytearray()
        self._callback = kind(self._take)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, line: dict[str, Any]) -> bytes:
        """One line as little-endian samples."""
        self._samples.clear()
        name = _NAMES.get(line["language"], line["language"])
        if self._library.espeak_SetVoiceByName(name.encode()):
            self._library.espeak_SetVoiceByName(_FALLBACK.encode())
        pace = round(line["words_per_minute"] * line["speed"])
        self._library.espeak_SetParameter(_RATE, min(max(pace, _SLOWEST), _FASTEST), 0)
        self._library.espeak_SetParameter(_PITCH, line["pitch"], 0)
        text = line["text"].encode() + b"\0"
        self._library.espeak_Synth(text, len(text), 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return bytes(self._samples)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0


def main() -> None:
    """Speak all lines: for each its rate and its length in bytes, then the samples."""
    speaker = Speaker()
    for line in json.load(sys.stdin):
        said = speaker.say(line)
        sys.stdout.buffer.write(struct.pack("<II", speaker.rate_hz, len(said)) + said)


if __name__ == "__main__":
    main()
