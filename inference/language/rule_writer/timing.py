"""Turn sentences into timed takes: how many, which sentences share one, how long each lasts."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.sentences import Sentence, is_spoken

SHORTEST_MS = 2000
LONGEST_MS = 5000
PREFERRED_MS = 2800
MOST_SHOTS = 60  # Script.shots max_length
_BASE_WEIGHT = 25.0  # a very short sentence still needs time to be seen
_WIDE_CHAR = 2.5  # one Han or kana character tells about as much as 2.5 letters
_SPOKEN_BONUS = 1.15
_CLAUSE_MARK = re.compile(
    r"[;:,\u2013\u2014\uff0c\uff1b\uff1a\u3001\u060c.!?\u3002\uff01\uff1f]+\s*"
)
_LEAST_CLAUSE = 20.0
_MOST_PIECES = 400


@dataclass(frozen=True)
class Take:
    """Sentences told in one shot; `angle` > 0: another view of the take before it."""

    sentences: tuple[Sentence, ...]
    angle: int = 0

    @property
    def text(self) -> str:
        """The sentences in one line."""
        return joined(self.sentences)


def joined(parts: Sequence[Sentence]) -> str:
    """Sentences in one line; unspaced scripts get no blank between them."""
    text = ""
    for part in parts:
        glue = "" if not text or unicodedata.east_asian_width(text[-1]) in "WF" else " "
        text += glue + part.text
    return text


def weight(text: str) -> float:
    """How much time a text asks for, in letters."""
    return sum(_WIDE_CHAR if unicodedata.east_asian_width(c) in "WF" else 1.0 for c in text)


def plan_takes(parts: Sequence[Sentence], total_ms: int, language: str) -> list[Take]:
    """Group, split or repeat sentences so that every take can last about 2 to 5 seconds."""
    count = shot_count(len(parts), total_ms)
    pieces = list(parts[:_MOST_PIECES]) if len(parts) < _MOST_PIECES else _merged(parts)
    while len(pieces) < count:
        split = _split_heaviest(pieces, language)
        if split is None:
            break
        pieces = split
    takes = _grouped(pieces, min(count, len(pieces)))
    return _covered(takes, count)


def shot_count(sentence_count: int, total_ms: int) -> int:
    """How many shots a segment gets: between total/5 s and total/2.8 s, as the text offers."""
    least = max(1, math.ceil(total_ms / LONGEST_MS))
    most = max(least, round(total_ms / PREFERRED_MS))
    return min(max(sentence_count, least), most, max(MOST_SHOTS, 1))


def durations_ms(takes: Sequence[Take], total_ms: int) -> list[int]:
    """Lengths in milliseconds, by weight, within 2 to 5 s where possible; they sum exactly."""
    weights = [_take_weight(take) for take in takes]
    return shared_ms(weights, total_ms, SHORTEST_MS, LONGEST_MS)


def shared_ms(weights: Sequence[float], total_ms: int, shortest: int, longest: int) -> list[int]:
    """Whole milliseconds by weight, between the two where that is possible; they sum exactly."""
    low = min(float(shortest), total_ms / len(weights))
    high = max(float(longest), total_ms / len(weights))
    shares = _bounded_shares(list(weights), float(total_ms), low, high)
    whole = [max(1, math.floor(share)) for share in shares]
    order = sorted(range(len(whole)), key=lambda i: (whole[i] - shares[i], i))
    rest = total_ms - sum(whole)
    for step in range(abs(rest)):
        whole[order[step % len(order)]] += 1 if rest > 0 else -1
    return whole


def _take_weight(take: Take) -> float:
    told = weight(take.text) * (_SPOKEN_BONUS if any(s.spoken for s in take.sentences) else 1.0)
    return _BASE_WEIGHT + (told if take.angle == 0 else told / 3)


def _bounded_shares(weights: list[float], total: float, low: float, high: float) -> list[float]:
    fixed: dict[int, float] = {}
    while True:
        free = [i for i in range(len(weights)) if i not in fixed]
        left = total - sum(fixed.values())
        unit = left / sum(weights[i] for i in free) if free else 0.0
        beyond = {i: weights[i] * unit for i in free if not low <= weights[i] * unit <= high}
        if not beyond:
            return [fixed.get(i, weights[i] * unit) for i in range(len(weights))]
        # Clamp only the side that is further off, so that the rest stays feasible.
        under = sum(low - share for share in beyond.values() if share < low)
        over = sum(share - high for share in beyond.values() if share > high)
        clamp = (
            {i: low for i, s in beyond.items() if s < low}
            if under >= over
            else {i: high for i, s in beyond.items() if s > high}
        )
        fixed.update(clamp)


def _merged(parts: Sequence[Sentence]) -> list[Sentence]:
    size = math.ceil(len(parts) / _MOST_PIECES)
    return [replace(parts[i], text=joined(parts[i : i + size])) for i in range(0, len(parts), size)]


def _split_heaviest(pieces: list[Sentence], language: str) -> list[Sentence] | None:
    by_weight = sorted(range(len(pieces)), key=lambda i: (-weight(pieces[i].text), i))
    for index in by_weight:
        halves = split_clause(pieces[index].text, language)
        if halves is not None:
            parts = [
                replace(
                    pieces[index],
                    text=half,
                    opens=pieces[index].opens and n == 0,
                    spoken=is_spoken(half),
                    continues=pieces[index].continues or n > 0,
                )
                for n, half in enumerate(halves)
            ]
            return [*pieces[:index], *parts, *pieces[index + 1 :]]
    return None


def split_clause(text: str, language: str) -> tuple[str, str] | None:
    """Cut a long sentence in two at the clause boundary nearest its middle."""
    whole = weight(text)
    best: tuple[float, int] | None = None
    for cut in _clause_cuts(text, language):
        left = weight(text[:cut].strip())
        if min(left, whole - left) < _LEAST_CLAUSE:
            continue
        distance = abs(left - whole / 2)
        if best is None or distance < best[0]:
            best = (distance, cut)
    return None if best is None else (text[: best[1]].strip(), text[best[1] :].strip())


def _clause_cuts(text: str, language: str) -> list[int]:
    cuts = [
        match.end()
        for match in _CLAUSE_MARK.finditer(text)
        if match.group(0)[-1].isspace() or ord(match.group(0)[0]) > 0x2FFF  # noqa: PLR2004 - CJK marks need no blank
    ]
    words = lexicon("sentences").words("conjunctions", language) if language else frozenset()
    if words:
        pattern = "|".join(re.escape(word) for word in sorted(words))
        cuts.extend(m.start() + 1 for m in re.finditer(rf"\s(?:{pattern})\s", text))
    return sorted(set(cuts))


def _grouped(pieces: list[Sentence], count: int) -> list[Take]:
    sizes = [weight(piece.text) + _BASE_WEIGHT for piece in pieces]
    total = sum(sizes)
    takes: list[Take] = []
    start, told = 0, 0.0
    for number in range(1, count + 1):
        last = number == count
        goal = total * number / count
        end = start + 1
        running = told + sizes[start]
        room = len(pieces) - (count - number)
        while end < room and (last or _better_with(running, sizes[end], goal, pieces[end])):
            running += sizes[end]
            end += 1
        takes.append(Take(tuple(pieces[start:end])))
        start, told = end, running
    return takes


def _better_with(running: float, size: float, goal: float, piece: Sentence) -> bool:
    pull = 0.5 if not piece.opens else 0.25  # rather cut at a paragraph than within one
    return running + size * pull <= goal


def _covered(takes: list[Take], count: int) -> list[Take]:
    angles = [1] * len(takes)
    weights = [_take_weight(take) for take in takes]
    for _ in range(count - len(takes)):
        index = max(range(len(takes)), key=lambda i: (weights[i] / angles[i], -i))
        angles[index] += 1
    return [
        replace(take, angle=angle)
        for take, total in zip(takes, angles, strict=True)
        for angle in range(total)
    ]
