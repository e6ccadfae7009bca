"""Cut text to a length at a word boundary, never inside a word where words have spaces."""

from __future__ import annotations

_ELLIPSIS = "\u2026"
_LEAST_KEPT = 0.6  # a boundary further back than this loses too much: cut hard instead
_TRAILING = " ,;:-\u2013\u2014\u3001\uff0c"


def cut_words(text: str, limit: int) -> str:
    """At most `limit` characters; a cut text ends with an ellipsis."""
    if len(text) <= limit:
        return text
    if limit < len(_ELLIPSIS) + 1:
        return text[:limit]
    room = text[: limit - len(_ELLIPSIS)]
    if not text[len(room)].isspace():
        boundary = room.rfind(" ")
        room = room[:boundary] if boundary >= len(room) * _LEAST_KEPT else room
    return room.rstrip(_TRAILING) + _ELLIPSIS
