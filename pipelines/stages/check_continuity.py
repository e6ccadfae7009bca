"""Checks a script against the bible, and says what the accepted script changes in the story."""

from __future__ import annotations

from inference.language.model import LanguageModel, ScriptBrief, watched
from pipelines.stage_log import StageLog, run_once
from pipelines.write_watch import StageWatch
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import (
    ContinuityIssue,
    ContinuityValidator,
    ValidationResult,
    script_changes,
)
from storyforge.domain.job import Stage
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary
from storyforge.domain.wire import Wire, content_hash
from storyforge.errors import ContinuityBroken, ScriptInvalid

STAGE = Stage.CHECK_CONTINUITY
BROKEN_REPORT = 1
"""The item under which the report of a script is saved that may not be filmed."""
_RECENT = 5  # segments told in full; older ones live in the rolling summary


class CheckedScript(Wire):
    """The script to film, the report on it, and the story as it will be after it.

    bible: the next version, not yet committed. long_summary: of all segments older than the
    recent ones, as the next continuation will read it.
    """

    script: Script
    report: ValidationResult
    bible: SceneBible
    summary: str
    long_summary: str


def check_continuity(
    script: Script,
    brief: ScriptBrief,
    segment_number: int,
    validator: ContinuityValidator,
    language: LanguageModel,
    log: StageLog,
    *,
    may_revise: bool = True,
) -> CheckedScript:
    """Correct what is minor; what remains goes back to the writer once.

    may_revise: whether it does, for the owner's own script is not the writer's to change. Raises ContinuityBroken with the first error that is left then; the report is saved before.
    """
    inputs = [language.name, script.to_json(), brief.to_json(), segment_number]

    def work() -> CheckedScript:
        log.step(STAGE, 0.1, "Checking the script against the bible.")
        watch = StageWatch(log, STAGE, 0.1, "Checking the script against the bible.")
        writer = watched(language, watch)
        checked, report = _mended(script, brief, validator, writer if may_revise else None)
        log.step(STAGE, 0.5, _said(report))
        if report.errors:
            broken = {"report": report.to_json()}
            if not may_revise:  # the owner sees what became of it
                broken["script"] = script.to_json()
            log.save(STAGE, BROKEN_REPORT, content_hash(inputs), broken)
            raise ContinuityBroken(_broken(report))
        bible = writer.move_bible(brief, checked, segment_number)
        summary = writer.summarise(brief, checked)
        long_summary = _folded(brief, writer)
        return CheckedScript(
            script=checked,
            report=report.model_copy(update={"notes": (*report.notes, *watch.notes)}),
            bible=bible,
            summary=summary,
            long_summary=long_summary,
        )

    return run_once(log, STAGE, inputs, CheckedScript, work)


def _mended(
    script: Script,
    brief: ScriptBrief,
    validator: ContinuityValidator,
    language: LanguageModel | None,
) -> tuple[Script, ValidationResult]:
    """The script as it may be filmed, and the report on it."""
    mended, report = _corrected(script, brief, validator)
    if report.errors and language is not None:
        revised = _revised(mended, brief, report, language)
        if revised is not None:
            first = report
            mended, report = _corrected(revised, brief, validator)
            notes = (f"Given back to {language.name} once, with {len(first.errors)} errors.",)
            report = report.model_copy(
                update={
                    "corrected": (*first.corrected, *_gone(first, report), *report.corrected),
                    "notes": (*first.notes, *report.notes, *notes),
                }
            )
    return mended, report.model_copy(update={"changes": script_changes(script, mended)})


def _corrected(
    script: Script, brief: ScriptBrief, validator: ContinuityValidator
) -> tuple[Script, ValidationResult]:
    report = validator.validate(script, brief.bible, brief.recent)
    return (
        validator.auto_correct(script, brief.bible, report) if report.issues else (script, report)
    )


def _revised(
    script: Script, brief: ScriptBrief, report: ValidationResult, language: LanguageModel
) -> Script | None:
    """What the writer makes of its errors; None when it has nothing better."""
    try:
        revised = language.revise(brief, script, report.errors)
    except ScriptInvalid:
        return None  # the contradiction tells readers more than the failed second try
    return None if revised.shots == script.shots else revised


def _gone(before: ValidationResult, after: ValidationResult) -> tuple[ContinuityIssue, ...]:
    """The errors that the second writing has no more."""
    left = {(one.type, one.description) for one in after.issues}
    return tuple(one for one in before.errors if (one.type, one.description) not in left)


def _broken(report: ValidationResult) -> str:
    first = report.errors[0]
    return (
        f"{first.description} ({first.location}; {len(report.errors)} such errors). "
        f"{first.suggestion or 'Change the text or the bible'}".rstrip(".")
        + ", then send the continuation again. The job's continuity report has them all."
    )


def _folded(brief: ScriptBrief, language: LanguageModel) -> str:
    """When a sixth segment comes, the oldest of the recent ones goes into the summary."""
    leaving: tuple[SegmentSummary, ...] = ()
    if len(brief.recent) >= _RECENT:
        leaving = brief.recent[:1]
    return language.fold_summary(brief.long_summary, leaving) if leaving else brief.long_summary


def _said(report: ValidationResult) -> str:
    if not report.issues and not report.corrected:
        return "The script fits the bible."
    return f"{len(report.corrected)} corrected, {len(report.issues)} noted."
