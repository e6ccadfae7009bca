"""Summarise a segment, and fold older summaries into one of bounded length."""

from __future__ import annotations

from inference.language.rule_writer.camera import content_of
from inference.language.rule_writer.cutting import cut_words
from inference.language.rule_writer.sentences import Sentence, sentences
from inference.language.rule_writer.timing import joined
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary

MOST_SUMMARY_CHARS = 300
MOST_LONG_CHARS = 2000
_OLDEST_CHARS = 500  # how a story began explains all that follows
_NEWEST_CHARS_EACH = 220
_GAP = " [\u2026] "


def summary_of(text: str, script: Script, language: str) -> str:
    """The first sentence and the most telling later one, in their order; never empty."""
    parts = sentences(text, language)
    if not parts:
        return cut_words(script.shots[0].prompt, MOST_SUMMARY_CHARS)
    chosen = [parts[0]]
    if len(parts) > 1:
        last = len(parts) - 1
        best = max(range(1, len(parts)), key=lambda i: (_telling(parts, i, last, language), -i))
        chosen.append(parts[best])
    both = joined(chosen)
    if len(both) <= MOST_SUMMARY_CHARS:
        return both
    half = MOST_SUMMARY_CHARS // 2 - 1
    return joined([Sentence(cut_words(one.text, half)) for one in chosen])[:MOST_SUMMARY_CHARS]


def fold_summaries(long_summary: str, summaries: tuple[SegmentSummary, ...]) -> str:
    """Append summaries; when full, the beginning stays, the middle goes, the newest stay.

    Folding is the same whether segments come one by one or together only while there is room.
    """
    text = " ".join(long_summary.split())
    for one in sorted(summaries, key=lambda summary: summary.number):
        line = cut_words(" ".join(one.summary.split()), _NEWEST_CHARS_EACH)
        if line:
            text = _bounded(f"{text} {line}".strip())
    return _bounded(text)


def _bounded(text: str) -> str:
    if len(text) <= MOST_LONG_CHARS:
        return text
    head, gap, tail = text.partition(_GAP)
    if not gap:
        head = cut_words(text, _OLDEST_CHARS).rstrip("\u2026")
        tail = text[len(head) :]
    room = MOST_LONG_CHARS - len(head) - len(_GAP)
    if room <= 0:
        return text[: MOST_LONG_CHARS - 1] + "\u2026"
    tail = tail[-room:]
    # Begin the tail at a sentence, else at a word.
    for mark in (". ", "\u3002", "! ", "? ", " "):
        at = tail.find(mark)
        if 0 <= at < len(tail) // 2:
            tail = tail[at + len(mark) :]
            break
    return head.rstrip() + _GAP + tail.lstrip()


def _telling(parts: list[Sentence], index: int, last: int, language: str) -> float:
    return len(content_of(parts[index].text, language)) + (0.5 if index == last else 0.0)
