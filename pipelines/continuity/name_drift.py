"""Find near-miss spellings of known names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inference.language.rule_writer.folding import fold, fold_map, is_unspaced
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.name_evidence import is_finite_verb
from inference.language.rule_writer.strangers import StrangerFinder
from pipelines.continuity.known_names import (
    NAME_WORD,
    SHORT,
    KnownWord,
    is_other_name,
    known_words,
    nearest_known,
)
from pipelines.continuity.reading import Line, Story, issue
from pipelines.continuity.spelling import edit_distance
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_LEAST_UNSPACED = 3
_OPENING_MARKS = "\"\u201c\u201e\u00ab'\u2018([:\u2013\u2014.!?\u2026"


@dataclass(frozen=True)
class Drift:
    """A misspelt word: its range in the line and what it should be."""

    start: int
    end: int
    known: KnownWord


@dataclass(frozen=True)
class _Word:
    """One capitalised word that no name of the bible explains."""

    text: str
    start: int
    end: int
    before: str  # the folded word right before it, "" at a clause's start
    opens: bool
    sure: bool

    @property
    def folded(self) -> str:
        return fold(self.text)


def name_drift(story: Story) -> list[ContinuityIssue]:
    """Every word that is nearly, but not quite, a word of a known name."""
    known = known_words(story)
    found: list[ContinuityIssue] = []
    strangers = StrangerFinder(story.text, story.language)
    for line in story.lines:
        found.extend(_narrated(line, one, story) for one in drifts(line, story, known, strangers))
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
                        (Evidence(source="characters", text=cured),),
                    )
                )
    return found


def drifts(
    line: Line, story: Story, known: list[KnownWord], strangers: StrangerFinder
) -> Iterator[Drift]:
    """The drifts of one sentence."""
    spans = [(one.start, one.end) for one in strangers.find(line.text)]
    for word in _unexplained(line, story, known, spans):
        nearest = (
            _other_surname(word, line, story, known)
            or _beside(word, line, story, known)
            or _alone(word, line, story, known)
        )
        if nearest is not None:
            yield Drift(word.start, word.start + len(_bare(word.text, nearest)), nearest)
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
    words = NAME_WORD.findall(who)
    for word in words:
        nearest = nearest_known(fold(word), known)
        if nearest is not None and not is_other_name(fold(word), nearest.folded):
            return nearest.name if len(words) > 1 else nearest.word
    return ""


def _unexplained(
    line: Line, story: Story, known: Sequence[KnownWord], spans: list[tuple[int, int]]
) -> Iterator[_Word]:
    taken = [*line.mentions, *line.places]
    for match in NAME_WORD.finditer(line.text):
        word = match.group(0)
        if not word[0].isupper() or is_unspaced(word[0]):
            continue
        lead = line.text[: match.start()].rstrip()
        before = NAME_WORD.findall(lead)[-1:] if line.text[match.start() - 1 :][:1] == " " else []
        covered = [one for one in taken if one.start < match.end() and match.start() < one.end]
        if covered and not _lengthened(word, covered[0].who, known, story):
            continue
        yield _Word(
            word,
            *match.span(),
            before=fold(before[0]) if before else "",
            opens=not lead or lead[-1] in _OPENING_MARKS,
            sure=any(start <= match.start() < end for start, end in spans),
        )


def _lengthened(word: str, who: str, known: Sequence[KnownWord], story: Story) -> bool:
    """Endings of other languages are slips in English: "Agness" of Agnes, "Wenn" of Wen."""
    if story.language != "en":
        return False
    names = {one.folded for one in known if one.who == who}
    endings = [fold(word)[len(name) :] for name in names if fold(word).startswith(name)]
    return fold(word) not in names and any(
        ending in ("n", "en", "ns") or (ending == "s" and word.endswith("ss")) for ending in endings
    )


def _other_surname(
    word: _Word, line: Line, story: Story, known: Sequence[KnownWord]
) -> KnownWord | None:
    """Another surname after a known first name: "Agnes Thorpe" of Agnes Thorne."""
    if word.folded in _no_surname(story) or word.text.isupper():
        return None
    for mention in line.mentions:
        character = story.character(mention.who)
        if character is None or mention.end + 1 != word.start:
            continue
        *first, last = NAME_WORD.findall(character.name)
        said = NAME_WORD.findall(line.text[mention.start : mention.end])
        alone = said and first and fold(said[-1]) == fold(first[-1]) != fold(last)
        if alone and last[0].isupper() and fold(said[-1]) not in _titles():
            return next((one for one in known if one.who == mention.who and one.word == last), None)
    return None


def _beside(word: _Word, line: Line, story: Story, known: Sequence[KnownWord]) -> KnownWord | None:
    """A slip beside the rest of the name: its other words, or the title it has in the bible."""
    after = NAME_WORD.match(line.text, word.end + 1)
    near = {word.before, fold(after.group(0)) if after else ""} - {""}
    here = {one.who for one in (*line.mentions, *line.places) if one.end + 1 == word.start}
    here |= {one.who for one in (*line.mentions, *line.places) if one.start == word.end + 1}
    candidates = [one for one in known if one.rest & near or one.who in here]
    nearest = nearest_known(word.folded, candidates, beside=True)
    if nearest is None:
        return None
    other = is_other_name(word.folded, nearest.folded) and nearest.rest & near <= _titles()
    return None if other or _is_ordinary(word, story) else nearest


def _alone(word: _Word, line: Line, story: Story, known: Sequence[KnownWord]) -> KnownWord | None:
    if _is_ordinary(word, story):
        return None
    nearest = nearest_known(word.folded, known)
    if nearest is None or (not word.sure and _unlikely(word, line, story, nearest)):
        return None
    return None if is_other_name(word.folded, nearest.folded) else nearest


def _is_ordinary(word: _Word, story: Story) -> bool:
    names = lexicon("names")
    lists = ("starters", "never", "bare_nouns") if word.opens else ("never", "bare_nouns")
    if any(word.folded in names.words(one, story.language) for one in lists):
        return True
    lower = {token for token in NAME_WORD.findall(story.text) if token[0].islower()}
    return word.folded in {fold(token) for token in lower}


def _unlikely(word: _Word, line: Line, story: Story, nearest: KnownWord) -> bool:
    """A capital that grammar alone explains: at a sentence's start, or any German noun."""
    if story.language == "de":
        determined = word.before in lexicon("names").words("determiners", "de")
        return determined or len(nearest.folded) <= SHORT
    if not word.opens:
        return False
    tail = line.text[word.end :]
    following = NAME_WORD.findall(tail)[:2]
    acts = any(is_finite_verb(fold(one), story.language) for one in following)
    owns = tail[:2] in ("'s", "\u2019s")
    called = tail[:1] in (",", "!") and len(nearest.folded) > SHORT
    return not (owns or called or (acts and tail[:1] == " "))


def _narrated(line: Line, drift: Drift, story: Story) -> ContinuityIssue:
    wrong = line.text[drift.start : drift.end]
    known = drift.known
    kind = "characters" if story.character(known.who) is not None else "places"
    return issue(
        IssueType.NAME_DRIFT,
        Severity.ERROR,
        f'"{wrong}" is written where the bible has "{known.word}" ({known.name}).',
        line.location(drift.start, drift.end),
        _cased(known.word, wrong),
        (Evidence(source=f"{kind}/{known.who}/name", text=known.name),),
    )


def _cased(right: str, wrong: str) -> str:
    return right.upper() if wrong.isupper() and len(wrong) > 1 else right


def _no_surname(story: Story) -> frozenset[str]:
    names = lexicon("names")
    return (
        names.words("never", story.language)
        | names.words("place_heads", story.language)
        | names.words("starters", story.language)
        | lexicon("people").words("titles", story.language)
    )


def _titles() -> frozenset[str]:
    return lexicon("people").words("titles", "")


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
