"""Choose a camera move from what happens in a take."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from storyforge.domain.script import CameraMove as Move

# What a film-maker would reach for first, by content. Where two apply, the earlier row wins
# ties, because action dates faster on screen than mood.
_MOVES: dict[str, tuple[Move, ...]] = {
    "fight": (Move.HANDHELD, Move.TRACKING, Move.HANDHELD),
    "up": (Move.TILT_UP,),
    "down": (Move.TILT_DOWN,),
    "arrival": (Move.PUSH_IN, Move.TRACKING),
    "travel": (Move.TRACKING, Move.PAN_RIGHT, Move.PAN_LEFT),
    "leaving": (Move.PULL_OUT, Move.STATIC),
    "detail": (Move.PUSH_IN, Move.STATIC),
    "still": (Move.STATIC, Move.PUSH_IN),
    "vista": (Move.PAN_RIGHT, Move.PULL_OUT, Move.PAN_LEFT),
}
# Rare, unmistakable content outweighs the common words of mood and setting.
_STRENGTH = {
    "fight": 3.0,
    "up": 2.6,
    "down": 2.2,
    "arrival": 2.4,
    "travel": 1.8,
    "leaving": 1.9,
    "detail": 1.5,
    "still": 1.3,
    "vista": 1.2,
}
_DIALOGUE = (Move.STATIC, Move.PUSH_IN)
_OPENING = (Move.PULL_OUT, Move.PAN_RIGHT, Move.PUSH_IN, Move.PAN_LEFT)
_ANGLES = (Move.PUSH_IN, Move.STATIC, Move.PAN_LEFT, Move.PULL_OUT, Move.PAN_RIGHT)
_DEFAULT = (Move.STATIC, Move.PUSH_IN, Move.PAN_LEFT, Move.TRACKING)
_SPOKEN_STRENGTH = 2.3


def content_of(text: str, language: str) -> tuple[str, ...]:
    """What happens in a text, strongest first: names of the rows above."""
    scores: dict[str, float] = {}
    for hit in _happenings().find(fold_map(text), language):
        extra = 0.5 if hit.concept in scores else _STRENGTH[hit.concept]
        scores[hit.concept] = scores.get(hit.concept, 0.0) + extra
    order = list(_MOVES)
    return tuple(sorted(scores, key=lambda one: (-scores[one], order.index(one))))


def choose_move(
    content: Sequence[str],
    *,
    spoken: bool,
    angle: int,
    index: int,
    before: Sequence[Move],
    seed: int,
) -> Move:
    """The move of shot `index`; the same move never comes three times in a row."""
    candidates = _candidates(content, spoken=spoken, angle=angle, index=index)
    pick = int.from_bytes(hashlib.sha256(f"{seed}:{index}".encode()).digest()[:4], "big")
    # The first choice is right two times in three; variety comes from the seed.
    start = 0 if pick % 3 else 1
    ordered = [candidates[(start + n) % len(candidates)] for n in range(len(candidates))]
    tired = {before[-1]} if len(before) > 1 and before[-1] == before[-2] else set()
    return next(move for move in (*ordered, *_DEFAULT) if move not in tired)


def _candidates(
    content: Sequence[str], *, spoken: bool, angle: int, index: int
) -> tuple[Move, ...]:
    if angle:
        first = (angle - 1 + index) % len(_ANGLES)
        return _ANGLES[first:] + _ANGLES[:first]
    strongest = content[0] if content else ""
    if spoken and _STRENGTH.get(strongest, 0.0) < _SPOKEN_STRENGTH:
        return _DIALOGUE
    if not strongest:
        return _OPENING if index == 0 else _DEFAULT
    return _MOVES[strongest]


@lru_cache(maxsize=1)
def _happenings() -> Lexicon:
    return lexicon("camera").only((*_MOVES, "none"))
