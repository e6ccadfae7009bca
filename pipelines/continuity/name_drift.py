"""Find near-miss spellings of known names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from inference.language.rule_writer.folding import fold, fold_map, is_unspaced
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.strangers import StrangerFinder
from pipelines.continuity.reading import Line, Story, issue
from pipelines.continuity.spelling import edit_distance, jaro_winkler, sound_key
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity

_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SHORT = 4  # names up to this length may differ in one letter only
_MIDDLE = 6
_ALIKE = 0.9
_LEAST_CHARS = 3
_LEAST_UNSPACED = 3


@dataclass(frozen=True)
class KnownWord:
    """One word of a known name and whose it is; `entity` is "character" or "place"."""

    word: str
    who: str
    name: str

    @cached_property
    def folded(self) -> str:
        """The word for comparison."""
        return fold(self.word)


@dataclass(frozen=True)
class Drift:
    """A misspelt word: its range in the line and what it should be."""

    start: int
    end: int
    known: KnownWord


def name_drift(story: Story) -> list[ContinuityIssue]:
    """Every word that is nearly, but not quite, a word of a known name."""
    known = known_words(story)
    found: list[ContinuityIssue] = []
    strangers = StrangerFinder(story.text, story.language)
    for line in story.lines:
        found.extend(_narrated(line, one) for one in drifts(line, story, known, strangers))
    for number, shot in enumerate(story.script.shots):
        for who in shot.characters:
            cured = cured_name(who, story, known)
            if cured:
                found.append(
                    issue(
                        IssueType.NAME_DRIFT,
                        Severity.ERROR,
                        f'"{who}" is written where the bible has "{cured}".',
                        f"shots[{number}].characters",
                        cured,
                    )
                )
    return found


def drifts(
    line: Line, story: Story, known: list[KnownWord], strangers: StrangerFinder
) -> Iterator[Drift]:
    """The drifts of one sentence."""
    taken = [*line.mentions, *line.places]
    stranger_spans = [(one.start, one.end) for one in strangers.find(line.text)]
    for match in _TOKEN.finditer(line.text):
        word = match.group(0)
        if not word[0].isupper() or is_unspaced(word[0]):
            continue
        if any(one.start < match.end() and match.start() < one.end for one in taken):
            continue
        sure = any(start <= match.start() < end for start, end in stranger_spans)
        nearest = _nearest(word, known, sure=sure, line=line, at=match.start(), story=story)
        if nearest is not None:
            yield Drift(match.start(), match.start() + len(_bare(word, nearest)), nearest)
    yield from _unspaced_drifts(line, story)


def cured_name(who: str, story: Story, known: Sequence[KnownWord]) -> str:
    """The known name that a bare name in `characters` misspells; "" when none."""
    if any(one.id == who for one in story.bible.characters):
        return ""
    if story.people.find(fold_map(who)):
        return ""
    for one in story.bible.characters:
        if _unspaced_slip(who, one.name):
            return one.name
    words = _TOKEN.findall(who)
    cured = [(word, _close(fold(word), known)) for word in words]
    for word, nearest in cured:
        if nearest is not None and not _is_other_name(fold(word), nearest.folded):
            return nearest.name if len(words) > 1 else nearest.word
    return ""


def _narrated(line: Line, drift: Drift) -> ContinuityIssue:
    wrong = line.text[drift.start : drift.end]
    return issue(
        IssueType.NAME_DRIFT,
        Severity.ERROR,
        f'"{wrong}" is written where the bible has "{drift.known.word}" ({drift.known.name}).',
        line.location(drift.start, drift.end),
        _cased(drift.known.word, wrong),
    )


def _cased(right: str, wrong: str) -> str:
    return right.upper() if wrong.isupper() and len(wrong) > 1 else right


def known_words(story: Story) -> list[KnownWord]:
    """Every word of the bible's names that a misspelling could be meant for."""
    titles = lexicon("people").words("titles", "")
    generic = lexicon("places").words("outdoors", "") | lexicon("places").words("indoors", "")
    words: list[KnownWord] = []
    for character in story.bible.characters:
        for name in (character.name, *character.aliases):
            words.extend(
                KnownWord(word, character.id, character.name)
                for word in _TOKEN.findall(name)
                if word[0].isupper() and fold(word) not in titles and len(word) >= _LEAST_CHARS
            )
    for place in story.bible.places:
        for name in (place.name, *place.aliases):
            words.extend(
                KnownWord(word, place.id, place.name)
                for word in _TOKEN.findall(name)
                if word[0].isupper() and fold(word) not in generic and len(word) > _SHORT
            )
    return list(dict.fromkeys(words))


def _nearest(
    word: str, known: Sequence[KnownWord], *, sure: bool, line: Line, at: int, story: Story
) -> KnownWord | None:
    folded = fold(word)
    if _is_ordinary(folded, story, at):
        return None
    beside = {one.who for one in line.mentions if abs(one.end + 1 - at) <= 1}
    nearest = _close(folded, known) or _close(
        folded, [one for one in known if one.who in beside], loose=True
    )
    if nearest is None or (not sure and not beside and _unlikely(line, at, story, nearest)):
        return None
    if _is_other_name(folded, nearest.folded) and nearest.who not in beside:
        return None
    return nearest


def _is_ordinary(folded: str, story: Story, at: int) -> bool:
    names = lexicon("names")
    lists = ("starters", "never", "bare_nouns") if at == 0 else ("never", "bare_nouns")
    if any(folded in names.words(one, story.language) for one in lists):
        return True
    lower = {token for token in _TOKEN.findall(story.text) if token[0].islower()}
    return folded in {fold(token) for token in lower}


def _unlikely(line: Line, at: int, story: Story, nearest: KnownWord) -> bool:
    """A capital that grammar alone explains: at a sentence's start, or any German noun."""
    if story.language == "de":
        before = _TOKEN.findall(line.text[:at])
        determined = before and fold(before[-1]) in lexicon("names").words("determiners", "de")
        return bool(determined) or len(nearest.folded) <= _SHORT
    return at == 0 and len(nearest.folded) <= _SHORT


def _close(folded: str, known: Iterable[KnownWord], *, loose: bool = False) -> KnownWord | None:
    best: tuple[int, float, KnownWord] | None = None
    for one in known:
        for candidate in {folded, folded.removesuffix("s")}:
            distance = _distance(candidate, one.folded, loose=loose)
            if distance is None:
                continue
            rank = (distance, -jaro_winkler(candidate, one.folded), one)
            if best is None or rank[:2] < best[:2]:
                best = rank
    return None if best is None or best[0] == 0 else best[2]


def _distance(word: str, name: str, *, loose: bool) -> int | None:
    """The edit distance when it is small enough to be a slip of the pen, else None."""
    longer = max(len(word), len(name))
    if word == name:
        return 0
    if longer < _SHORT or abs(len(word) - len(name)) > len(name) // 3 + 1:
        return None
    if len(set(word) & set(name)) * 2 < min(len(set(word)), len(set(name))):
        return None  # too few letters in common to be worth a closer look
    distance = edit_distance(word, name)
    allowed = 1 if longer <= _MIDDLE else 2 if longer < _MIDDLE + 4 else 3
    same_start = word[0] == name[0] or sorted(word[:2]) == sorted(name[:2])
    same_sound = sound_key(word) == sound_key(name)
    if same_sound and distance <= allowed + 1:
        return distance
    if not same_start and not (loose and distance == 1) and longer <= _MIDDLE:
        return None
    likely = jaro_winkler(word, name) >= _ALIKE - (0.1 if distance == 1 else 0.0)
    return distance if distance <= allowed and (likely or loose) else None


def _is_other_name(folded: str, known: str) -> bool:
    """Maria is not a misspelt Marta; Sarah may well be a misspelt Sara."""
    given = lexicon("names").words("given", "all")
    return folded in given and sound_key(folded) != sound_key(known)


def _bare(word: str, nearest: KnownWord) -> str:
    """The word without a genitive s that the name itself does not have."""
    if word[-1:] == "s" and not nearest.word.endswith("s"):
        shorter = fold(word[:-1])
        if edit_distance(shorter, nearest.folded) < edit_distance(fold(word), nearest.folded):
            return word[:-1]
    return word


def _unspaced_slip(word: str, name: str) -> bool:
    """One wrong character in a name of three or more; the first, the family name, is right."""
    if len(word) != len(name) or len(name) < _LEAST_UNSPACED or word[0] != name[0]:
        return False
    wrong = sum(a != b for a, b in zip(word, name, strict=True))
    return wrong == 1 and all(is_unspaced(char) for char in word + name)


def _unspaced_drifts(line: Line, story: Story) -> Iterator[Drift]:
    names = [
        (one.id, name)
        for one in story.bible.characters
        for name in (one.name, *one.aliases)
        if len(name) >= _LEAST_UNSPACED and all(is_unspaced(char) for char in name)
    ]
    for who, name in names:
        for start in range(len(line.text) - len(name) + 1):
            window = line.text[start : start + len(name)]
            if not _unspaced_slip(window, name):
                continue
            if any(one.start < start + len(name) and start < one.end for one in line.mentions):
                continue
            yield Drift(start, start + len(name), KnownWord(name, who, name))
