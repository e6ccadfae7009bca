"""The plan of a job: what will be filmed, shown before anything is spent on it."""

from __future__ import annotations

from storyforge.domain.continuity import ValidationResult
from storyforge.domain.script import Script
from storyforge.domain.wire import Wire


class RefusedScript(Wire):
    """A script that the owner sent and that may not be filmed, with the report that says why."""

    script: Script
    report: ValidationResult


class Plan(Wire):
    """The script that will be filmed and the report on it. refused: the owner's last try, if any."""

    script: Script
    report: ValidationResult
    refused: RefusedScript | None = None
