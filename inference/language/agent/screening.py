"""What an answer must not hold: our own marks in any disguise, addresses, markup."""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

_LEAK_CHARS = 10  # so many characters of a mark in a row are no accident (32 ** 10)
_ADDRESS = re.compile(r"(?i)\b(?:https?|ftps?|file|data|javascript)\s?:\s?/?/?\w|\bwww\.\w")
_MARKUP = re.compile(r"<\s*[/!a-zA-Z|]|<<|\[/?(?:INST|SYSTEM|TOOL)[A-Z_]*\]|```|\{\{|\{%")
_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{12,}")


def objections(texts: Sequence[str], raw: str, marks: Sequence[str]) -> tuple[str, ...]:
    """Why these texts of one answer cannot be used; the reasons hold nothing of a mark.

    texts: every string of the answer in its order, before any cleaning, which would hide what it
    tried to say. raw: the answer as it came. marks: the canary and the fences' nonces.
    """
    found: list[str] = []
    if leaks(texts, marks) or leaks((raw,), marks):
        found.append("It repeats a part of the instructions, which is not allowed.")
    if any(_ADDRESS.search(text) for text in texts):
        found.append("It holds an Internet address; write none.")
    if any(_MARKUP.search(text) for text in texts):
        found.append("It holds markup or template marks; write plain sentences.")
    return tuple(found)


def leaks(texts: Sequence[str], marks: Iterable[str]) -> bool:
    """Whether any mark shows, whole or in part, plain, spelt out, reversed or encoded."""
    views = {_folded(view) for text in texts for view in _views(text)}
    # a mark may be dealt out over the fields of an answer, one piece each
    views.add(_folded("".join(texts)))
    for step in range(2, 8):
        views.update(_folded("".join(texts[start::step])) for start in range(min(step, len(texts))))
    views |= {view[::-1] for view in views}
    return any(_shows(_folded(mark), views) for mark in marks)


def _shows(mark: str, views: Iterable[str]) -> bool:
    pieces = {mark[at : at + _LEAK_CHARS] for at in range(max(1, len(mark) - _LEAK_CHARS + 1))}
    return any(piece in view for view in views for piece in pieces)


def _views(text: str) -> Iterable[str]:
    yield text
    yield codecs.encode(text, "rot13")
    yield unquote(text)
    for word in _ENCODED.findall(text):
        yield from _decoded(word)


def _decoded(word: str) -> Iterable[str]:
    padded = word.replace("-", "+").replace("_", "/").rstrip("=")
    for decode in (_base64, _base32, bytes.fromhex):
        try:
            yield decode(padded).decode("utf-8", "ignore")
        except ValueError:
            continue


def _base64(word: str) -> bytes:
    return base64.b64decode(word + "=" * (-len(word) % 4))


def _base32(word: str) -> bytes:
    return base64.b32decode(word.upper() + "=" * (-len(word) % 8))


def _folded(text: str) -> str:
    """Letters and digits alone, without case, width and accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in plain if char.isalnum())
