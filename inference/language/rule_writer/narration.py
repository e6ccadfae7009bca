"""Choose what is said over each take: the reader's own sentences, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence

from inference.language.rule_writer.camera import content_of
from inference.language.rule_writer.cutting import cut_words
from inference.language.rule_writer.sentences import Sentence
from inference.language.rule_writer.timing import Take, joined, weight

MOST_CHARS = 2000  # Shot.narration max_length
# Fast readers manage about 25 letters a second; captions may stay a little behind the picture.
# A short shot still gets a sentence of ordinary length.
_LETTERS_PER_SECOND = 60.0
_LEAST_LETTERS = 240.0


def narrations(
    takes: Sequence[Take], lengths_ms: Sequence[int], language: str
) -> tuple[list[str], int]:
    """The narration of every take, and how many sentences found no room."""
    told: list[str] = []
    omitted = 0
    for take, length_ms in zip(takes, lengths_ms, strict=True):
        if take.angle:
            told.append("")
            continue
        room = max(_LEAST_LETTERS, _LETTERS_PER_SECOND * length_ms / 1000)
        kept = _fitting(take.sentences, room, language)
        omitted += len(take.sentences) - len(kept)
        text = joined(kept)
        if weight(text) > room:
            share = room / weight(text)
            text = cut_words(text, max(1, int(len(text) * share)))
        told.append(cut_words(text, MOST_CHARS))
    return told, omitted


def _fitting(parts: Sequence[Sentence], room: float, language: str) -> list[Sentence]:
    """The most telling sentences that fit, in their order; always at least one."""
    if weight(joined(parts)) <= room:
        return list(parts)
    ranked = sorted(range(len(parts)), key=lambda i: (-_telling(parts, i, language), i))
    kept: list[int] = []
    used = 0.0
    for index in ranked:
        size = weight(parts[index].text) + 1
        if used + size <= room:
            kept.append(index)
            used += size
    return [parts[i] for i in sorted(kept or ranked[:1])]


def _telling(parts: Sequence[Sentence], index: int, language: str) -> float:
    edge = 2.0 if index == 0 else 1.0 if index == len(parts) - 1 else 0.0
    return edge + len(content_of(parts[index].text, language)) + (0.5 if parts[index].spoken else 0)
