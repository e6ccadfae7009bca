"""Builds the prompt of one task: the same words first, what is new last, and a fixed size.

The order is what a server's prefix cache wants: instructions, the frozen base of the bible, its
changes, the rolling summary, the last segments, the continuation, the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.language.agent.bible_text import bible_lines, change_lines, people_and_places
from inference.language.agent.chat_server import Message
from inference.language.agent.fences import Fences, as_data
from inference.language.agent.prompt_files import render
from inference.language.agent.tokens import cut_to, estimated_tokens, fitting, newest_fitting
from inference.language.model import ScriptBrief
from inference.language.rule_writer.cast import character_finder, place_finder
from inference.language.rule_writer.folding import fold_map
from storyforge.domain.bible_changes import BibleHistory
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import ScriptInvalid

# What each part may take when there is plenty, in tokens; with less, all shrink alike.
_FACTS, _CHANGES, _TOLD, _TEXT, _NAMED, _SCRIPT = 2400, 800, 1300, 3000, 400, 2500
_WHOLE = _FACTS + _CHANGES + _TOLD + _TEXT + _NAMED + _SCRIPT
_REPAIRS = 900  # two broken answers' beginnings and what was wrong with them
_LEAST_ROOM = 0.08  # of the whole; below it nothing sensible can be asked


@dataclass(frozen=True)
class Prompt:
    """The messages of one question, and the marks that must not come back."""

    messages: tuple[Message, ...]
    marks: tuple[str, ...]
    was_cut: bool = False

    @property
    def text(self) -> str:
        """All of it, for counting."""
        return "\n".join(message["content"] for message in self.messages)


@dataclass(frozen=True)
class Room:
    """How much of its usual room each part gets, from 0 to 1."""

    share: float

    def __call__(self, usual: int) -> int:
        """The tokens of a part."""
        return int(usual * self.share)


def room_for(context_tokens: int, output_tokens: int, ratio: float) -> Room:
    """What the parts get when answer, instructions and repairs are taken off.

    ratio: how many real tokens an estimated one is for this model, at least 1. Raises
    ScriptInvalid when the context is too small to ask anything.
    """
    instructions = estimated_tokens(render("system", canary="x" * 24)) * ratio
    left = (context_tokens - output_tokens - instructions - _REPAIRS * ratio) / ratio
    share = min(1.0, left / _WHOLE)
    if share < _LEAST_ROOM:
        raise ScriptInvalid(
            f"A context of {context_tokens} tokens is too small for an answer of {output_tokens}; "
            "raise STORYFORGE_WRITER_CONTEXT_TOKENS or ask for a shorter segment."
        )
    return Room(share)


def story_prompt(
    brief: ScriptBrief,
    fences: Fences,
    room: Room,
    task: str,
    *,
    script: Script | None = None,
    **values: object,
) -> Prompt:
    """The prompt of a task on this continuation. task: its template; script: what was written."""
    history = brief.history or BibleHistory(base=brief.bible)
    facts = bible_lines(history.base, room(_FACTS))
    changes = change_lines(history.changes, history.base.version + 1, room(_CHANGES))
    told = _told_lines(brief, room(_TOLD))
    clean = as_data(brief.text)
    text = cut_to(clean, room(_TEXT))
    # of the base alone, so that it stays the same while the story grows
    mark = fences.nonce("\n".join(facts))
    text_mark = fences.nonce(f"{mark}\n{text}")
    marks = [fences.canary, mark, text_mark]
    if script is not None:
        told_script = script_text(script, room(_SCRIPT))
        script_mark = fences.nonce(f"{text_mark}\n{told_script}")
        marks.append(script_mark)
        values |= {"script": told_script, "script_mark": script_mark}
    story = render(
        "story",
        facts="\n".join(facts),
        changes="\n".join(changes),
        told="\n".join(told),
        text=text or "(no words)",
        named="\n".join(_named(brief, (*facts, *changes), room(_NAMED))),
        mark=mark,
        text_mark=text_mark,
    )
    return _prompt(fences, f"{story}\n\n{render(task, **values)}", marks, was_cut=text != clean)


def told_prompt(told: str, fences: Fences, room: Room, most_chars: int) -> Prompt:
    """The prompt that compresses what was told."""
    clean = cut_to(as_data(told), room(_TOLD + _TEXT))
    mark = fences.nonce(clean)
    task = render("fold", told=clean, mark=mark, most_chars=most_chars)
    return _prompt(fences, task, [fences.canary, mark])


def told_line(summary: SegmentSummary) -> str:
    """One segment in one line: the same among the last ones and, later, in the long summary."""
    return f"{summary.number}. {' '.join(as_data(summary.summary).split())}"


def script_text(script: Script, room: int) -> str:
    """A script as plain lines, as many shots as have room."""
    lines = []
    for number, shot in enumerate(script.shots, start=1):
        who = ", ".join(shot.characters)
        seen = " ".join(part for part in (shot.prompt, f"[{who}]" if who else "") if part)
        said = f" | {shot.narration}" if shot.narration else ""
        line = f"{number}. ({shot.light.value}, {shot.place or 'somewhere'}) {seen}{said}"
        lines.append(" ".join(as_data(line).split()))
    return "\n".join(fitting(lines, room))


def _prompt(fences: Fences, said: str, marks: Sequence[str], *, was_cut: bool = False) -> Prompt:
    messages = (
        {"role": "system", "content": render("system", canary=fences.canary)},
        {"role": "user", "content": said},
    )
    return Prompt(messages, tuple(marks), was_cut)


def _told_lines(brief: ScriptBrief, room: int) -> tuple[str, ...]:
    """The long summary, whose end is cut last of all, then the last segments."""
    recent = newest_fitting([told_line(one) for one in brief.recent], room * 2 // 3)
    left = room - sum(estimated_tokens(line) + 1 for line in recent)
    long_lines = [line for line in as_data(brief.long_summary).splitlines() if line.strip()]
    if len(long_lines) == 1:  # one paragraph: cut it rather than lose it
        long_lines = [cut_to(long_lines[0], left - 1)]
    return (*newest_fitting(long_lines, left), *recent)


def _named(brief: ScriptBrief, shown: Sequence[str], room: int) -> tuple[str, ...]:
    """People and places that the continuation names and that had no room among the facts."""
    known = "\n".join(shown)
    folded = fold_map(brief.text)
    found = {
        mention.who
        for finder in (
            character_finder(brief.bible.characters),
            place_finder(brief.bible.places),
        )
        for mention in finder.find(folded)
    }
    lines = people_and_places(brief.bible)
    return fitting([lines[one] for one in lines if one in found and lines[one] not in known], room)
