"""Continuity: what is wrong between a script and the bible, and who can say so."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Script
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


class ContinuityIssue(Wire):
    """One contradiction.

    location: where in the script, e.g. `shots[2].narration:10-14` (character range).
    suggestion: what would cure it; for name_drift the exact replacement text.
    """

    type: IssueType
    severity: Severity
    description: str
    location: str
    suggestion: str = ""


class ValidationResult(Wire):
    """The report on one script; `valid` means that no issue of severity error is left."""

    valid: bool
    issues: tuple[ContinuityIssue, ...] = ()
    corrected: tuple[ContinuityIssue, ...] = ()
    validator: str = ""


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
