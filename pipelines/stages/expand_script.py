"""Expands a continuation into a script of timed shots."""

from __future__ import annotations

from inference.language.model import LanguageModel, ScriptBrief, watched
from pipelines.stage_log import StageLog, run_once
from pipelines.write_watch import StageWatch
from storyforge.domain.job import GenerationJobPayload, Stage
from storyforge.domain.script import Script

STAGE = Stage.EXPAND_SCRIPT


def brief_of(payload: GenerationJobPayload) -> ScriptBrief:
    """What the writer gets to know; constant in size however long the story is."""
    return ScriptBrief(
        text=payload.text,
        bible=payload.context.scene_bible,
        recent=payload.context.recent_segments,
        long_summary=payload.context.long_summary,
        target_seconds=payload.config.target_duration,
        style_preset=payload.config.style_preset,
        voice_preset=payload.config.voice_preset,
        history=payload.context.history,
        seed=payload.config.seed,
    )


def expand_script(payload: GenerationJobPayload, language: LanguageModel, log: StageLog) -> Script:
    """Text, bible, recent segments and summary become shots. Raises ScriptInvalid, Unavailable.

    The owner's own script, sent with the approval, stands in for them.
    """
    if payload.script is not None:
        return payload.script
    brief = brief_of(payload)

    def work() -> Script:
        log.step(STAGE, 0.1, "Writing the script.")
        script = watched(
            language, StageWatch(log, STAGE, 0.1, "Writing the script.")
        ).expand_script(brief)
        log.step(STAGE, 0.9, f"A script of {len(script.shots)} shots.")
        return script

    return run_once(log, STAGE, [language.name, brief.to_json()], Script, work)
