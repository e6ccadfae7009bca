"""Find people in places that no longer exist."""

from __future__ import annotations

from collections.abc import Iterator

from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import paired
from inference.language.rule_writer.whereabouts import PlaceReader
from pipelines.continuity.reading import WORDS, Line, Story, issue, negated
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity

_REACH_CHARS = 40
_INSIDE = 2.0  # a place with a locative word before it, see whereabouts.py


def gone_places(story: Story) -> Iterator[ContinuityIssue]:
    """Places that the bible, its timeline or an earlier sentence destroyed, in use again."""
    gone = _gone_before(story)
    if not story.bible.places:
        return
    reader = PlaceReader(story.text, story.language, story.bible, "")
    told: set[str] = set()
    for line in story.lines:
        now = _destroyed_in(line, story)
        allowed = bool(_gone_words(line, story)) or _rebuilt(line)
        for mention in reader.mentions(line.text):
            reason = gone.get(mention.who)
            if reason is None or mention.who in told or mention.score < _INSIDE:
                continue
            if line.past or line.unreal or allowed:
                continue
            told.add(mention.who)
            yield issue(
                IssueType.SETTING_MISMATCH,
                Severity.ERROR,
                f"{story.place_name(mention.who)} is gone ({reason}) and is used here.",
                line.location(mention.start, mention.end),
                "Choose another place, tell it as a memory, or say that it was rebuilt.",
            )
        gone.update(dict.fromkeys(now, f"destroyed in shot {line.shot + 1}"))


def _gone_before(story: Story) -> dict[str, str]:
    stated = paired("settings", WORDS, ("fact", "against"))["destroyed"][0]
    gone: dict[str, str] = {}
    for place in story.bible.places:
        for fact in place.facts:
            folded = fold_map(fact)
            if stated.find(folded, "") and not any(word in folded.text for word in _AGAIN):
                gone[place.id] = fact
    for event in story.bible.timeline:
        folded = fold_map(event.description)
        for hit in stated.find(folded, ""):
            for mention in story.places.find(folded):
                if 0 <= hit.start - mention.end <= _REACH_CHARS // 4:
                    gone.setdefault(mention.who, event.description)
    return gone


def _destroyed_in(line: Line, story: Story) -> list[str]:
    if line.past or line.unreal:
        return []
    return [
        mention.who
        for mention in line.places
        for start, end in _gone_words(line, story)
        if 0 <= start - mention.end <= _REACH_CHARS // 2
        and not negated(line, start, end, story.language)
    ]


def _gone_words(line: Line, story: Story) -> list[tuple[int, int]]:
    stated = paired("settings", WORDS, ("fact", "against"))["destroyed"][0]
    return [(hit.start, hit.end) for hit in stated.find(line.folded, story.language)]


# Any of these says that the place stands again ...
_AGAIN = (
    "rebuil",
    "restored",
    "wiederaufgebaut",
    "reconstrui",
    "rebati",
    "reconstruid",
    "ricostruit",
    "\u91cd\u5efa",
    "\u518d\u5efa",
)
# ... and any of these that only its remains, or the place where it was, are meant.
_REMAINS = (
    "ruin",
    "rubble",
    "remains of",
    "what was left",
    "site of",
    "ashes",
    "wreck",
    "debris",
    "where the",
    "had been",
    "used to",
    "wo fruher",
    "wo einst",
    "ou se trouvait",
    "donde estaba",
    "trummer",
    "uberreste",
    "decombres",
    "vestiges",
    "restos",
    "escombros",
    "macerie",
    "\u0440\u0443\u0438\u043d",
    "\u043e\u0431\u043b\u043e\u043c",
    "\u5e9f\u589f",
    "\u5ec3\u589f",
)


def _rebuilt(line: Line) -> bool:
    return any(word in line.folded.text for word in (*_AGAIN, *_REMAINS))
