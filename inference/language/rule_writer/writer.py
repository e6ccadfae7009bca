"""The deterministic rule-based writer: the language model of a node without one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inference.language.model import ScriptBrief
from inference.language.rule_writer.bible_moves import moved_bible
from inference.language.rule_writer.camera import choose_move, content_of
from inference.language.rule_writer.narration import narrations
from inference.language.rule_writer.people import PeopleReader
from inference.language.rule_writer.prompts import action_of, framing_of, write_prompt
from inference.language.rule_writer.sentences import Sentence, sentences
from inference.language.rule_writer.summaries import fold_summaries, summary_of
from inference.language.rule_writer.timing import Take, durations_ms, plan_takes
from inference.language.rule_writer.tongue import language_of
from inference.language.rule_writer.whereabouts import LightReader, PlaceReader, light_before
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityIssue
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import ScriptInvalid

NAME = "rule-writer/1"
NOTICE = "Written by fixed rules, not by a language model."
_MOST_SECONDS = 7200.0  # 60 shots of 120 s, the limits of Script and Shot
_EMPTY_TEXT = "\u2026"


@dataclass(frozen=True)
class _Readers:
    people: PeopleReader
    places: PlaceReader
    light: LightReader


class RuleWriter:
    """Writes scripts by rules alone: the same brief always gives the same script."""

    @property
    def name(self) -> str:
        """Name and version, kept with everything it wrote."""
        return NAME

    def expand_script(self, brief: ScriptBrief) -> Script:
        """Turn the continuation into shots that add up to `target_seconds` (to the millisecond).

        Raises ScriptInvalid for a length that no script can have; never because of the text.
        """
        total_ms = whole_ms(brief.target_seconds)
        language = brief_language(brief)
        parts = sentences(brief.text, language) or [Sentence(_EMPTY_TEXT, opens=True)]
        takes = plan_takes(parts, total_ms, language)
        lengths = durations_ms(takes, total_ms)
        told, omitted = narrations(takes, lengths, language)
        readers = _readers(brief, parts, language)
        shots: list[Shot] = []
        for index, take in enumerate(takes):
            shot = _shot(brief, take, index, readers, shots, language)
            shots.append(
                shot.model_copy(update={"narration": told[index], "seconds": lengths[index] / 1000})
            )
        notice = NOTICE
        if omitted:
            notice += f" The text is longer than the film: {omitted} sentences are not told in it."
        return Script(shots=tuple(shots), writer=NAME, notice=notice)

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        """The script itself: rules tell the reader's own words and would say them again."""
        del brief, issues
        return script

    def move_bible(self, brief: ScriptBrief, script: Script, segment_number: int) -> SceneBible:
        """The bible after this segment: new people, places and one event; version + 1."""
        return moved_bible(brief, script, segment_number, brief_language(brief))

    def summarise(self, brief: ScriptBrief, script: Script) -> str:
        """One or two sentences on what happens in this segment, at most 300 characters."""
        return summary_of(brief.text, script, brief_language(brief))

    def fold_summary(self, long_summary: str, summaries: tuple[SegmentSummary, ...]) -> str:
        """The rolling summary of all older segments, at most 2,000 characters."""
        return fold_summaries(long_summary, summaries)


def brief_language(brief: ScriptBrief) -> str:
    """The language of the text; a very short one is read with the story before it."""
    before = " ".join(one.summary for one in brief.recent[-2:])
    told = f"{brief.text} {before} {brief.bible.synopsis} {' '.join(brief.bible.rules)}"
    return language_of(brief.text) or language_of(told) or "en"


def whole_ms(target_seconds: float) -> int:
    """The length in milliseconds. Raises ScriptInvalid for one that no script can have."""
    if not math.isfinite(target_seconds) or not 0 < target_seconds <= _MOST_SECONDS:
        raise ScriptInvalid(
            f"A segment of {target_seconds} seconds cannot be written; "
            f"ask for more than 0 and at most {_MOST_SECONDS:.0f}."
        )
    return max(1, round(target_seconds * 1000))


def _readers(brief: ScriptBrief, parts: list[Sentence], language: str) -> _Readers:
    last = brief.recent[-1] if brief.recent else None
    return _Readers(
        PeopleReader(
            [one.text for one in parts],
            language,
            brief.bible,
            last.characters if last else (),
        ),
        PlaceReader(brief.text, language, brief.bible, last.place if last else ""),
        LightReader(brief.text, language, light_before(brief.bible)),
    )


def _shot(
    brief: ScriptBrief,
    take: Take,
    index: int,
    readers: _Readers,
    before: Sequence[Shot],
    language: str,
) -> Shot:
    text = take.text
    told = [one.text for one in take.sentences]
    spoken = any(one.spoken for one in take.sentences)
    if take.angle and before:
        people, place, light = before[-1].characters, before[-1].place, before[-1].light
    else:
        goes_on = take.sentences[0].continues
        people = readers.people.people(text, told, continues=goes_on)
        place = readers.places.place(text)
        light = readers.light.light(text)
    content = content_of(text, language)
    framing = framing_of(content, spoken=spoken, angle=take.angle, index=index, cast=len(people))
    prompt = write_prompt(
        framing=framing,
        action=action_of(told, language),
        spoken=spoken,
        people=people,
        place=place,
        light=light,
        language=language,
        bible=brief.bible,
        style_preset=brief.style_preset,
    )
    move = choose_move(
        content,
        spoken=spoken,
        angle=take.angle,
        index=index,
        before=[one.camera for one in before],
        seed=brief.seed,
    )
    return Shot(
        prompt=prompt, camera=move, light=light, characters=people, place=place, seconds=1.0
    )
