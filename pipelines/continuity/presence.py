"""Say whether an unknown name is somebody who appears, or only somebody who is spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.name_evidence import is_finite_verb
from inference.language.rule_writer.strangers import Stranger, StrangerFinder
from inference.language.rule_writer.unspaced_names import UNSPACED
from pipelines.continuity.reading import WORDS, Line, Story

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAME = r"[A-Z\u00c0-\u00de][^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_OPENING_NAME = re.compile(rf"(?:[\"\u201c\u2018']?)({_NAME})(?=[ '\u2019])")
_WHOLE_QUOTE = re.compile(rf"[\"\u201c]({_NAME}(?: {_NAME}){{1,2}})[,.!?]")
# Endings of masses, feelings and crafts: such a word opens a sentence and is nobody's name.
_ABSTRACT = re.compile(
    r".+(?:ness|tion|sion|ment|ity|ship|hood|ence|ance|ism|dom|light|fall|storm|men|women|folk|"
    r"people|work|wood|water|ings?|ly|less|ful|ous|able|ible|where|thing|body|one|wards?)$"
)
_SUBJECT_REACH = 3  # words between a subject and its verb: "Tom then slowly opened"
_SPEECH_REACH = 2
_NAMED_REACH = 4
_STATIVE = frozenset(
    {"was", "were", "is", "are", "had", "has", "lay", "lies", "hung", "could", "would", "will"}
    | {"might", "must", "should", "can", "did", "does", "slept", "rose", "fell", "stood"}
)
# What follows the verb of somebody who acts: "dropped the tray", "pulled her close", "sat down".
_OBJECTS = frozenset(
    {"the", "a", "an", "his", "her", "its", "their", "my", "our", "him", "them", "me", "us", "it"}
    | {"up", "down", "back", "away", "off", "out", "over", "in", "on", "at", "to", "this", "that"}
    | {"one", "two", "three", "both", "another", "every", "all", "no", "forward", "himself"}
    | {"herself", "quietly", "slowly", "softly", "not", "without", "home", "upstairs", "around"}
)
# After these even "was" says that somebody is there: "It was Fern", "behind her was Marlow".
_VOCATIVE_AFTER = re.compile(r"\s*[,.!?\u2026\"\u201d]")


@dataclass(frozen=True)
class _Place:
    """A name in its sentence: folded words before and after it, nearest first."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    joined: bool  # nothing but a blank between the name and the word after it
    opens: bool


def newcomers(line: Line, story: Story, strangers: StrangerFinder) -> Iterator[Stranger]:
    """The unknown people who appear in a sentence."""
    found = [one for one in strangers.find(line.text) if not one.place]
    if story.language in UNSPACED:
        yield from found
        return
    if line.past or line.unreal or _told_of(line, story):
        return
    seen: list[Stranger] = []
    for one in [*found, *_openings(line, story), *_named_in_quotes(line, story)]:
        taken = [(other.start, other.end) for other in (*line.mentions, *line.places)]
        taken += [(other.start, other.end) for other in seen]
        if any(start < one.end and one.start < end for start, end in taken):
            continue
        if not _is_nobody(one, story) and _appears(one, line, story):
            seen.append(one)
            yield one


def relatives(line: Line, story: Story) -> Iterator[Stranger]:
    """Another first name before a known surname: "Agatha Lockhart" beside Flora Lockhart."""
    names, language = lexicon("names"), story.language
    plain = names.words("starters", language) | names.words("never", language)
    plain |= lexicon("people").words("titles", "") | _set("relations", "en") | _set("openers", "en")
    if line.past or line.unreal or _told_of(line, story):
        return
    for mention in line.mentions:
        character = story.character(mention.who)
        said = line.text[mention.start : mention.end]
        lead = re.search(rf"(?<![^\W\d_])({_NAME}) $", line.text[: mention.start])
        if character is None or lead is None or line.spoken(mention.start):
            continue
        words = _WORD.findall(character.name)
        if len(words) > 1 and fold(said) == fold(words[-1]) and fold(lead.group(1)) not in plain:
            yield Stranger(f"{lead.group(1)} {said}", lead.start(1), mention.end)


def _appears(one: Stranger, line: Line, story: Story) -> bool:
    language = story.language
    place = _place(one, line)
    given = fold(one.name.split()[0]) in lexicon("names").words("given", "all")
    titled = fold(one.name.split()[0].rstrip(".")) in lexicon("people").words("titles", language)
    if line.spoken(one.start):
        return _introduced(place, language) or _called(one, line) or _is_whole_quote(one, line)
    if titled and len(one.name.split()) > 1:
        return place.before[:1] not in (("of",), ("about",), ("like",))
    before = place.before[0] if place.before else ""
    beside = _tags_speech(one, line, language) or _introduced(place, language)
    beside = beside or _related(one, line, language) or _in_company(place, language)
    owns = line.text[one.end :][:2] in ("'s", "\u2019s")
    beside = beside or (owns and (given or bool(set(place.after[1:3]) & _set("belongings", "en"))))
    if beside or (language == "en" and _arrives(place, line, one)):
        return True
    return before not in _set("places_before", language) and _acts(place, language, given=given)


def _acts(place: _Place, language: str, *, given: bool) -> bool:
    """Whether the name is the subject of what people do."""
    if not place.after or not place.joined:
        return False
    verb = place.after[0]
    if language != "en":
        return (given or language != "de") and is_finite_verb(verb, language)
    people = lexicon("names").words("deeds", "en") | lexicon("people").words("speech", "en")
    if verb in people:
        return True
    if verb.endswith("ly") and len(place.after) > 1:
        verb = place.after[1]
    if not is_finite_verb(verb, "en"):
        return False
    if given or verb in people:
        return True
    following = place.after[place.after.index(verb) + 1 :][:1]
    return verb not in _STATIVE and bool(following) and following[0] in _OBJECTS


def _place(one: Stranger, line: Line) -> _Place:
    before = tuple(
        fold(word) for word in reversed(_WORD.findall(f"{line.lead} {line.text[: one.start]}"))
    )
    tail = line.text[one.end :]
    after = tuple(fold(word) for word in _WORD.findall(tail))
    joined = re.match(r"(?:['\u2019]s)?\s+[^\W\d_]", tail) is not None
    lead = line.text[: one.start].rstrip()
    return _Place(before, after, joined, not lead or lead[-1] in '.!?\u2026"\u201c:;\u2014')


def _told_of(line: Line, story: Story) -> bool:
    told_of = _lexicon("told_of")
    if line.lead and told_of.find(fold_map(line.lead), story.language):
        return True
    hits = told_of.find(line.folded, story.language)
    return any(not line.spoken(hit.start) for hit in hits)


def _is_nobody(one: Stranger, story: Story) -> bool:
    words = [fold(word) for word in one.name.split()]
    nobody = _set("never_people", "en") | _set("openers", "en")
    if words[0].rstrip(".") in ("st", "saint", "san", "santa", "sankt"):
        return True
    if one.name.isupper() and len(one.name) > 1:
        return True  # a headline or a sign
    if fold(one.name) in nobody or words[-1] in _set("never_people", "en"):
        return True
    starters = lexicon("names").words("starters", story.language)
    return len(words) > 1 and all(word in starters for word in words)


def _introduced(place: _Place, language: str) -> bool:
    lead = list(reversed(place.before[:_NAMED_REACH]))
    wanted = _set("introduces", language) | lexicon("people").words("named", language)
    return any(" ".join(lead[-count:]) in wanted for count in range(1, len(lead) + 1))


def _called(one: Stranger, line: Line) -> bool:
    """Whether direct speech calls somebody by that name: ", Tariq!"."""
    lead = line.text[: one.start].rstrip()
    return lead[-1:] == "," and bool(_VOCATIVE_AFTER.match(line.text[one.end :]))


def _is_whole_quote(one: Stranger, line: Line) -> bool:
    return any(match.span(1) == (one.start, one.end) for match in _WHOLE_QUOTE.finditer(line.text))


def _tags_speech(one: Stranger, line: Line, language: str) -> bool:
    """Whether the name says what is quoted: said Marlow, Marlow whispered."""
    if not line.quotes:
        return False
    speech = lexicon("people").words("speech", language)
    before = [fold(word) for word in _WORD.findall(line.text[: one.start])][-1:]
    after = [fold(word) for word in _WORD.findall(line.text[one.end :])][:_SPEECH_REACH]
    return any(word in speech for word in (*before, *after))


def _related(one: Stranger, line: Line, language: str) -> bool:
    """Whether a word for a person stands in apposition: "his sister Morag", "Fern the squirrel"."""
    relations = _set("relations", language) | lexicon("names").words("roles", language)
    lead = re.search(r"([^\W\d_]+),? $", line.text[: one.start])
    if lead and fold(lead.group(1)) in relations:
        return True
    tail = re.match(
        r",? (?:the|a|an|his|her|their|my|our) (?:[^\W\d_]+ ){0,2}?([^\W\d_]+)",
        line.text[one.end :],
    )
    return tail is not None and fold(tail.group(1)) in relations


def _in_company(place: _Place, language: str) -> bool:
    """Whether somebody is with that one, or does something to that one: "waved to Benedikt"."""
    near = list(reversed(place.before[:2]))
    company = _set("company", language)
    return any(" ".join(near[-count:]) in company for count in (1, 2) if near)


def _arrives(place: _Place, line: Line, one: Stranger) -> bool:
    """Inversion: "There stood Josiah", "In the airlock stood Marlow", "It was Fern, ..."."""
    arrives = _set("arrives", "en")
    near = list(reversed(place.before[:2]))
    if not any(" ".join(near[-count:]) in arrives for count in (1, 2)):
        return False
    lead = line.text[: one.start].rstrip()
    opened = re.match(
        r"(?:There|Here|Then|It|Behind|Beside|Beyond|Out|In|On|At|Under|From|Through|Up|Down|By|"
        r"Before|Across|Among|Along|Between|Next|Near|Around|Opposite)\b",
        re.split(r"[.!?;:\u2014\u201d]\s*", lead)[-1].lstrip('"\u201c '),
    )
    return opened is not None


def _openings(line: Line, story: Story) -> Iterator[Stranger]:
    """A word that opens the sentence and acts as only somebody would: "Lettie dropped the tray"."""
    if story.language != "en":
        return
    match = _OPENING_NAME.match(line.text)
    if match is None:
        return
    word = fold(match.group(1))
    names = lexicon("names")
    plain = names.words("starters", "en") | names.words("never", "en") | _set("openers", "en")
    if word in plain or _ABSTRACT.fullmatch(word) or (word.endswith("s") and word[-2:] != "ss"):
        return
    if word in _set("relations", "en") or is_finite_verb(word, "en") or word in _lower(story):
        return
    yield Stranger(match.group(1), *match.span(1))


def _named_in_quotes(line: Line, story: Story) -> Iterator[Stranger]:
    """Somebody who gives a full name and no more: "Ezra Pym, at your service"."""
    heads = lexicon("names").words("place_heads", story.language)
    nobody = lexicon("names").words("starters", story.language) | _set("openers", "en")
    for match in _WHOLE_QUOTE.finditer(line.text):
        words = [fold(word) for word in match.group(1).split()]
        titled = words[0] in lexicon("people").words("titles", story.language)
        if not titled and not any(word in heads or word in nobody for word in words):
            yield Stranger(match.group(1), *match.span(1))


def _lower(story: Story) -> frozenset[str]:
    return frozenset(fold(word) for word in _WORD.findall(story.text) if word[0].islower())


@lru_cache(maxsize=64)
def _set(concept: str, language: str) -> frozenset[str]:
    return lexicon("presence", WORDS).words(concept, language)


@lru_cache(maxsize=8)
def _lexicon(concept: str) -> Lexicon:
    return lexicon("presence", WORDS).only((concept,))
