"""Repair what is minor: misspelt names, in narration, prompt and characters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from inference.language.rule_writer.folding import fold_map
from pipelines.continuity.reading import Story
from storyforge.domain.continuity import ContinuityIssue, IssueType
from storyforge.domain.script import Script, Shot

_LOCATION = re.compile(r"shots\[(\d+)\]\.(narration|characters)(?::(\d+)-(\d+))?")


def correctable(one: ContinuityIssue) -> bool:
    """Whether an issue can be repaired without changing what happens."""
    return (
        one.type is IssueType.NAME_DRIFT
        and bool(one.suggestion)
        and _LOCATION.fullmatch(one.location) is not None
    )


def corrected(script: Script, issues: tuple[ContinuityIssue, ...], story: Story) -> Script:
    """The script with every correctable issue repaired."""
    shots = list(script.shots)
    renamed: dict[str, str] = {}
    cured: dict[int, set[str]] = {}
    # From the end, so that earlier character ranges stay right.
    for one in sorted(issues, key=lambda issue: _position(issue.location), reverse=True):
        match = _LOCATION.fullmatch(one.location)
        if match is None or match.group(3) is None or not correctable(one):
            continue
        number, start, end = int(match.group(1)), int(match.group(3)), int(match.group(4))
        if number >= len(shots) or end > len(shots[number].narration):
            continue
        narration = shots[number].narration
        renamed[narration[start:end]] = one.suggestion
        cured.setdefault(number, set()).add(one.suggestion)
        fixed = narration[:start] + one.suggestion + narration[end:]
        shots[number] = shots[number].model_copy(update={"narration": fixed})
    for one in issues:
        if correctable(one) and one.location.endswith(".characters"):
            renamed.setdefault(_quoted(one.description), one.suggestion)
    return script.model_copy(
        update={
            "shots": tuple(
                _with_cured(_renamed(shot, renamed, story), cured.get(number, set()), story)
                for number, shot in enumerate(shots)
            )
        }
    )


def _renamed(shot: Shot, renamed: Mapping[str, str], story: Story) -> Shot:
    prompt = shot.prompt
    for wrong, right in renamed.items():
        if wrong:
            prompt = re.sub(
                rf"(?<!\w){re.escape(wrong)}(?=\w?\b|\W|$)", right.replace("\\", ""), prompt
            )
    people: list[str] = []
    for who in shot.characters:
        name = who
        for wrong, right in renamed.items():
            if wrong:
                name = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right.replace("\\", ""), name)
        known = story.people.find(fold_map(name)) if name != who else []
        resolved = known[0].who if known else name
        if resolved not in people:
            people.append(resolved)
    return Shot.model_validate(
        {**shot.model_dump(), "prompt": prompt[:2000], "characters": tuple(people)}
    )


def _with_cured(shot: Shot, cured: Collection[str], story: Story) -> Shot:
    """A name that was not known while misspelt puts its character into the shot."""
    found = [
        one.who
        for one in story.people.find(fold_map(shot.narration))
        if any(word in shot.narration[one.start : one.end] for word in cured)
    ]
    return shot.model_copy(update={"characters": tuple(dict.fromkeys([*shot.characters, *found]))})


def _position(location: str) -> tuple[int, int]:
    match = _LOCATION.fullmatch(location)
    return (int(match.group(1)), int(match.group(3) or 0)) if match else (0, 0)


def _quoted(description: str) -> str:
    return description.split('"')[1] if description.count('"') > 1 else ""
