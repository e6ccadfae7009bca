"""The first continuity validator: fixed rules, quick, and quiet where they cannot see."""

from __future__ import annotations

from pipelines.continuity.correcting import correctable, corrected
from pipelines.continuity.name_drift import name_drift
from pipelines.continuity.new_characters import new_characters
from pipelines.continuity.personality import personality_contradictions
from pipelines.continuity.reading import read_story
from pipelines.continuity.setting import setting_mismatches
from pipelines.continuity.timeline import timeline_errors
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityIssue, Severity, ValidationResult
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary

NAME = "continuity-rules/1"


class RuleValidator:
    """Checks a script against the bible by rules alone; the same input, the same report."""

    @property
    def name(self) -> str:
        """Name and version, kept with every report."""
        return NAME

    def validate(
        self, script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...] = ()
    ) -> ValidationResult:
        """Report every contradiction that these rules can see, in the order of the issue types."""
        return _report(_issues(script, bible, recent))

    def auto_correct(
        self, script: Script, bible: SceneBible, result: ValidationResult
    ) -> tuple[Script, ValidationResult]:
        """Repair misspelt names; the report is that of the new script.

        Returns the script itself when nothing in `result` can be repaired.
        """
        minor = tuple(one for one in result.issues if correctable(one))
        if not minor:
            return script, result
        fixed = corrected(script, minor, read_story(script, bible, ()))
        after = _report(_issues(fixed, bible, ()))
        return fixed, after.model_copy(update={"corrected": (*result.corrected, *minor)})


def _issues(
    script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...]
) -> tuple[ContinuityIssue, ...]:
    story = read_story(script, bible, recent)
    drift = name_drift(story)
    found = [
        *drift,
        *timeline_errors(story),
        *setting_mismatches(story),
        *personality_contradictions(story),
        *new_characters(story, frozenset(one.location for one in drift)),
    ]
    return tuple(dict.fromkeys(found))


def _report(issues: tuple[ContinuityIssue, ...]) -> ValidationResult:
    return ValidationResult(
        valid=not any(one.severity is Severity.ERROR for one in issues),
        issues=issues,
        validator=NAME,
    )
