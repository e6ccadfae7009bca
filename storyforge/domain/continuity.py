"""Continuity: what is wrong between a script and the bible, and who can say so."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary
from storyforge.domain.wire import Wire


class IssueType(StrEnum):
    """The kinds of contradiction (words of the specification)."""

    NAME_DRIFT = "name_drift"
    PERSONALITY_CONTRADICTION = "personality_contradiction"
    TIMELINE_ERROR = "timeline_error"
    SETTING_MISMATCH = "setting_mismatch"
    NEW_CHARACTER = "new_character"


class Severity(StrEnum):
    """An error must be corrected before filming; a warning is kept in the report."""

    ERROR = "error"
    WARNING = "warning"


class Evidence(Wire):
    """What the story has said before: where it stands, and its own words.

    source: a path into the bible (`characters/mira/appearance`, `timeline/2`, `rules/0`),
    `recent/3` for segment 3, or `shots/1` for an earlier shot of the same script.
    """

    source: str
    text: str


class ContinuityIssue(Wire):
    """One contradiction.

    location: where in the script, e.g. `shots[2].narration:10-14` (character range).
    suggestion: what would cure it; for name_drift the exact replacement text.
    evidence: what of the story it contradicts. found_by: the rules, or the name of a model.
    """

    type: IssueType
    severity: Severity
    description: str
    location: str
    suggestion: str = ""
    evidence: tuple[Evidence, ...] = ()
    found_by: str = "rules"


class ScriptChange(Wire):
    """One text of a script before and after; together they are the diff.

    location: `shots[2].narration`, or `script` when shots came or went.
    """

    location: str
    before: str
    after: str


class ValidationResult(Wire):
    """The report on one script; `valid` means that no issue of severity error is left.

    issues: what the checked script still has. corrected: what it had. changes: all that was
    changed for it. notes: what the validators could not do.
    """

    valid: bool
    issues: tuple[ContinuityIssue, ...] = ()
    corrected: tuple[ContinuityIssue, ...] = ()
    changes: tuple[ScriptChange, ...] = ()
    notes: tuple[str, ...] = ()
    validator: str = ""

    @property
    def errors(self) -> tuple[ContinuityIssue, ...]:
        """The issues that must not be filmed."""
        return tuple(one for one in self.issues if one.severity is Severity.ERROR)


def script_changes(before: Script, after: Script) -> tuple[ScriptChange, ...]:
    """Every text of a script that differs in another one, in the order of the shots."""
    if len(before.shots) != len(after.shots):
        texts = ["\n".join(shot.narration for shot in one.shots) for one in (before, after)]
        return (ScriptChange(location="script", before=texts[0], after=texts[1]),)
    return tuple(
        ScriptChange(location=f"shots[{number}].{name}", before=old[name], after=new[name])
        for number, (was, now) in enumerate(zip(before.shots, after.shots, strict=True))
        for old, new in [(_texts(was), _texts(now))]
        for name in old
        if old[name] != new[name]
    )


def _texts(shot: Shot) -> dict[str, str]:
    return {
        "narration": shot.narration,
        "prompt": shot.prompt,
        "characters": ", ".join(shot.characters),
        "place": shot.place,
    }


class ContinuityValidator(Protocol):
    """Checks a script against the bible and repairs what is minor."""

    def validate(
        self, script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...] = ()
    ) -> ValidationResult:
        """Report every contradiction that this validator can see."""
        ...

    def auto_correct(
        self, script: Script, bible: SceneBible, result: ValidationResult
    ) -> tuple[Script, ValidationResult]:
        """Repair the minor issues; gives the new script and the report on it.

        The new report lists what was repaired under `corrected`.
        """
        ...
