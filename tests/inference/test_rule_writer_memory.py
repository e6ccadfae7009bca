"""What the rule-based writer remembers: bible, summaries, and their limits."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.language.model import ScriptBrief
from inference.language.rule_writer import RuleWriter
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.segment import SegmentSummary

_STORIES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "rule_writer_stories.toml").read_text(encoding="utf-8")
)
_ENTITY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BIBLE = SceneBible(
    characters=(
        Character(id="mira", name="Mira Voss", aliases=("the keeper",), traits=("a young woman",)),
        Character(id="tom", name="Tom", traits=("an old man",)),
        Character(id="zoe", name="Zoë Krämer"),
    ),
    places=(
        Place(id="lamp", name="The Old Lighthouse", facts=("whitewashed",)),
        Place(id="bay", name="Gull Bay"),
    ),
)
_TEXT = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="Aa.!?\"'“”„«»「」。、, -—\n\tz\u00df\u2019é中あБ1", max_size=400),
    st.lists(
        st.sampled_from([story["text"] for story in _STORIES.values()]), min_size=1, max_size=3
    ).map("\n".join),
)


def _brief(text: str, seconds: float = 16.0, **more: Any) -> ScriptBrief:
    return ScriptBrief(text=text, bible=more.pop("bible", _BIBLE), target_seconds=seconds, **more)


@given(text=_TEXT)
@settings(max_examples=40, deadline=None)
def test_any_text_moves_the_bible_within_its_limits(text: str) -> None:
    brief = _brief(text)
    writer = RuleWriter()
    script = writer.expand_script(brief)
    moved = writer.move_bible(brief, script, 7)
    assert SceneBible.model_validate(moved.model_dump()) == moved
    assert moved.version == _BIBLE.version + 1
    assert moved.characters[: len(_BIBLE.characters)] == _with_statuses(moved)
    assert moved.places[: len(_BIBLE.places)] == _BIBLE.places
    assert all(_ENTITY_ID.fullmatch(one.id) for one in (*moved.characters, *moved.places))
    assert len(moved.timeline) == 1
    assert 0 < len(writer.summarise(brief, script)) <= 300


def _with_statuses(moved: SceneBible) -> tuple[Character, ...]:
    """The bible's own characters; only their status may have changed."""
    return tuple(
        before.model_copy(update={"status": after.status})
        for before, after in zip(_BIBLE.characters, moved.characters, strict=False)
    )


def test_unknown_people_get_into_the_bible_with_their_looks() -> None:
    text = "Captain Reyes, a tall man in a red coat, knocked. “Open!” cried Ludmila."
    writer, brief = RuleWriter(), _brief(text)
    moved = writer.move_bible(brief, writer.expand_script(brief), 2)
    new = {one.name: one for one in moved.characters[3:]}
    assert set(new) == {"Captain Reyes", "Ludmila"}
    assert new["Captain Reyes"].id == "captain-reyes"
    assert new["Captain Reyes"].appearance == "a tall man in a red coat"
    assert new["Ludmila"].appearance == ""
    assert moved.timeline[-1].segment_number == 2


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("Tom died at midnight.", True),
        ("The wolf killed Tom.", True),
        ("Tom starb im Schnee.", True),
        ("Tom mourut à l'aube.", True),
        ("Tom did not die.", False),
        ("Tom almost died of laughter.", False),
        ("Mira dreamed that Tom died.", False),
        ("Tom's dog died.", False),
        ("“Tom is dead,” lied Mira.", False),
    ],
)
def test_only_unmistakable_deaths_change_a_status(text: str, dead: bool) -> None:
    writer, brief = RuleWriter(), _brief(text, 4.0)
    moved = writer.move_bible(brief, writer.expand_script(brief), 1)
    assert (moved.characters[1].status == "dead") is dead


def test_a_second_segment_with_the_same_people_adds_nobody_twice() -> None:
    writer = RuleWriter()
    text = _STORIES["fairy_tale"]["text"]
    first = _brief(text, bible=SceneBible())
    bible = writer.move_bible(first, writer.expand_script(first), 1)
    second = _brief(text, bible=bible)
    again = writer.move_bible(second, writer.expand_script(second), 2)
    assert [one.id for one in again.characters] == [one.id for one in bible.characters]
    assert [one.id for one in again.places] == [one.id for one in bible.places]
    assert [event.order for event in again.timeline] == [1, 2]


def test_a_full_bible_keeps_its_facts_and_takes_no_more() -> None:
    full = SceneBible(
        characters=tuple(Character(id=f"c{n}", name=f"Person{n}") for n in range(200)),
        places=tuple(Place(id=f"p{n}", name=f"Place{n}") for n in range(200)),
        timeline=tuple(TimelineEvent(order=n, description="x") for n in range(2000)),
    )
    writer, brief = RuleWriter(), _brief("Ludmila ran into the forest.", bible=full)
    moved = writer.move_bible(brief, writer.expand_script(brief), 2001)
    assert moved.content_hash() == full.content_hash()
    assert moved.version == 2


def _summary(number: int, text: str) -> SegmentSummary:
    return SegmentSummary(segment_id=UUID(int=number), number=number, summary=text)


def test_the_rolling_summary_stays_bounded_and_keeps_both_ends() -> None:
    writer, long_summary = RuleWriter(), ""
    sizes = []
    for number in range(1, 301):
        told = f"Event {number}: Mira walked on and met another storm on the way to the bay."
        long_summary = writer.fold_summary(long_summary, (_summary(number, told),))
        sizes.append(len(long_summary))
    assert max(sizes) <= 2000
    assert all(later > 1500 for later in sizes[50:])
    assert "Event 1:" in long_summary
    assert "Event 300:" in long_summary
    assert "Event 150:" not in long_summary


@given(
    st.text(max_size=5000),
    st.lists(st.text(max_size=600), max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_folding_any_text_stays_within_two_thousand_characters(
    long_summary: str, told: list[str]
) -> None:
    summaries = tuple(_summary(number + 1, text) for number, text in enumerate(told))
    assert len(RuleWriter().fold_summary(long_summary, summaries)) <= 2000


@pytest.mark.parametrize(
    ("text", "name", "looks"),
    [
        ("Bruno the bear could not sleep.", "Bruno", "the bear"),
        ("Old Wick, the owl, said nothing. Anna asked Old Wick.", "Old Wick", "the owl"),
        ("There lived Anselm and his daughter Linnet.", "Linnet", "daughter"),
        ("En un pueblo vivía una niña llamada Lucía.", "Lucía", "una niña"),
        ("Anna walked in and put on her red cloak.", "Anna", "her red cloak"),
    ],
)
def test_looks_are_read_from_apposition_kinship_and_clothes(
    text: str, name: str, looks: str
) -> None:
    writer, brief = RuleWriter(), _brief(text)
    moved = writer.move_bible(brief, writer.expand_script(brief), 1)
    assert {one.name: one.appearance for one in moved.characters}.get(name) == looks
