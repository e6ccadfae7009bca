"""Checks a script against the bible, and says what the accepted script changes in the story."""

from __future__ import annotations

from inference.language.model import LanguageModel, ScriptBrief
from pipelines.stage_log import StageLog, run_once
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityValidator, Severity, ValidationResult
from storyforge.domain.job import Stage
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary
from storyforge.domain.wire import Wire
from storyforge.errors import ContinuityBroken

STAGE = Stage.CHECK_CONTINUITY
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
) -> CheckedScript:
    """Correct what is minor; errors that remain raise ContinuityBroken with the first of them."""

    def work() -> CheckedScript:
        log.step(STAGE, 0.1, "Checking the script against the bible.")
        checked, report = _corrected(script, brief, validator)
        log.step(STAGE, 0.5, _said(report))
        return CheckedScript(
            script=checked,
            report=report,
            bible=language.move_bible(brief, checked, segment_number),
            summary=language.summarise(brief, checked),
            long_summary=_folded(brief, language),
        )

    inputs = [language.name, script.to_json(), brief.to_json(), segment_number]
    return run_once(log, STAGE, inputs, CheckedScript, work)


def _corrected(
    script: Script, brief: ScriptBrief, validator: ContinuityValidator
) -> tuple[Script, ValidationResult]:
    report = validator.validate(script, brief.bible, brief.recent)
    if report.issues:
        script, report = validator.auto_correct(script, brief.bible, report)
    left = [issue for issue in report.issues if issue.severity is Severity.ERROR]
    if left:
        raise ContinuityBroken(
            f"{left[0].description} ({left[0].location}; {len(left)} such errors). "
            f"{left[0].suggestion or 'Change the text or the bible'}".rstrip(".")
            + ", then send the continuation again."
        )
    return script, report


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
