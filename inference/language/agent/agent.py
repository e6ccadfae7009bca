"""The script agent: the language model protocol on an OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from inference.language.agent.asking import Answer, Question, ask
from inference.language.agent.chat_server import Limits, Message, Sampling
from inference.language.agent.context import Prompt, Room, room_for, story_prompt, told_line
from inference.language.agent.context import told_prompt as long_summary_prompt
from inference.language.agent.drafts import (
    LONG_CHARS,
    SUMMARY_CHARS,
    Draft,
    FactsDraft,
    LongSummaryDraft,
    ScriptDraft,
    SummaryDraft,
    script_shape,
)
from inference.language.agent.engines import Engines
from inference.language.agent.facts_of import moved, patch_from
from inference.language.agent.fences import Fences, as_data
from inference.language.agent.presets import style_words, voice_words
from inference.language.agent.prompt_files import prompts_version
from inference.language.agent.script_of import script_from, shot_range
from inference.language.model import ScriptBrief, Unwatched, WriteWatch
from inference.language.rule_writer.writer import RuleWriter, whole_ms
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityIssue
from storyforge.domain.script import Script, WritingRecord
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import InvalidInput, ScriptInvalid

AGENT_VERSION = 1
MOST_LONG_CHARS = 2000
ShapeT = TypeVar("ShapeT", bound=Draft)
# A shot's strings at their longest are about 300 tokens of prose; most are a third of that.
_TOKENS_PER_SHOT, _SCRIPT_TOKENS, _FACTS_TOKENS, _SUMMARY_TOKENS = 330, 120, 900, 240
_CALIBRATIONS = 2
_CUT = "The text is longer than the language model's context; its end is not told in this film."
# Lower comes first: a reader waits for the script; what follows it only holds up the next job.
SCRIPT_PRIORITY, FACTS_PRIORITY = 0, 1


@dataclass(frozen=True)
class ScriptAgent:
    """Writes scripts with a language model; what it cannot do well the rules do, and it says so.

    label: the model's name as it is kept with what it wrote. limits: their `most_tokens` is the
    cap of any single answer.
    """

    engines: Engines
    label: str
    secret: bytes = field(repr=False)
    limits: Limits
    sampling: Sampling
    repairs: int = 2
    watch: WriteWatch = field(default_factory=Unwatched)
    rules: RuleWriter = field(default_factory=RuleWriter)

    @property
    def name(self) -> str:
        """Agent, model and prompts; another of any of them is another writer."""
        return f"script-agent/{AGENT_VERSION} {self.label} prompts/{prompts_version()}"

    def watched_by(self, watch: WriteWatch) -> ScriptAgent:
        """The same agent, for one job."""
        return replace(self, watch=watch)

    def expand_script(self, brief: ScriptBrief) -> Script:
        """Shots that add up to `target_seconds`. Raises ScriptInvalid and Unavailable."""
        return self._script(brief, "script")

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        """The script once more, told what does not fit the story."""
        told = "\n".join(
            as_data(f"- {one.location}: {one.description} {one.suggestion}") for one in issues[:12]
        )
        return self._script(brief, "revise", script=script, issues=told)

    def move_bible(self, brief: ScriptBrief, script: Script, segment_number: int) -> SceneBible:
        """The model's proposal, as far as the text bears it out; the rules' moves without one."""

        def propose() -> SceneBible:
            question = self._question(
                brief,
                FactsDraft,
                "facts",
                "facts",
                _FACTS_TOKENS,
                script=script,
                priority=FACTS_PRIORITY,
            )
            draft = self._ask(question).value
            return moved(brief.bible, patch_from(draft, brief, script, segment_number))

        try:
            return propose()
        except (ScriptInvalid, InvalidInput):
            self.watch.note(
                f"{self.label} proposed no usable changes of the bible; fixed rules moved it."
            )
            return self.rules.move_bible(brief, script, segment_number)

    def summarise(self, brief: ScriptBrief, script: Script) -> str:
        """One or two sentences; the rules' summary when the model has none."""
        try:
            question = self._question(
                brief,
                SummaryDraft,
                "summary",
                "summary",
                _SUMMARY_TOKENS,
                script=script,
                priority=FACTS_PRIORITY,
                most_chars=SUMMARY_CHARS,
            )
            return str(self._ask(question).value.summary)
        except ScriptInvalid:
            self.watch.note(f"{self.label} gave no usable summary; fixed rules wrote it.")
            return self.rules.summarise(brief, script)

    def fold_summary(self, long_summary: str, summaries: tuple[SegmentSummary, ...]) -> str:
        """Append a line per segment; when that grows too long the model compresses all of it.

        Appending costs nothing and leaves the beginning of the next prompt as it was.
        """
        lines = [told_line(one) for one in sorted(summaries, key=lambda one: one.number)]
        told = "\n".join(filter(None, [long_summary.strip(), *lines]))
        if len(told) <= MOST_LONG_CHARS:
            return told
        try:
            return self._compressed(told)
        except ScriptInvalid:
            self.watch.note(f"{self.label} could not compress the summary; fixed rules cut it.")
            return self.rules.fold_summary(long_summary, summaries)

    def ask(
        self,
        shape: type[ShapeT],
        messages: Sequence[Message],
        limits: Limits | None = None,
        *,
        seed: int = 0,
        affinity: str = "",
        judge: Callable[[ShapeT], Sequence[str]] = lambda _value: (),
    ) -> ShapeT:
        """One question of somebody else's making, under the same bounds, screening and repairs.

        Raises ScriptInvalid and Unavailable.
        """
        question = Question(
            shape=shape,
            messages=messages,
            marks=(Fences(self.secret).canary,),
            limits=self._capped(limits or self.limits, self.limits.most_tokens),
            sampling=self.sampling,
            seed=seed,
            about="answer",
            affinity=affinity,
            priority=FACTS_PRIORITY,
            judge=judge,
        )
        return self._ask(question).value

    def _script(
        self, brief: ScriptBrief, task: str, *, script: Script | None = None, issues: str = ""
    ) -> Script:
        total_ms = whole_ms(brief.target_seconds)
        least, most = shot_range(total_ms)
        question = self._question(
            brief,
            script_shape(least, most),
            "script",
            task,
            _SCRIPT_TOKENS + most * _TOKENS_PER_SHOT,
            script=script,
            least=least,
            most=most,
            seconds=f"{total_ms / 1000:g}",
            style=style_words(brief.style_preset or brief.bible.style.preset),
            voice=voice_words(brief.voice_preset),
            issues=issues,
        )
        answer = self._ask(question)
        notice = _CUT if question.was_cut else ""
        return script_from(answer.value, brief, total_ms, self._record(question, answer), notice)

    def _record(
        self, question: Question[ScriptDraft], answer: Answer[ScriptDraft]
    ) -> WritingRecord:
        return WritingRecord(
            model=self.name,
            prompts=prompts_version(),
            seed=question.seed + answer.repairs,
            temperature=question.sampling.temperature,
            top_p=question.sampling.top_p,
            most_tokens=question.limits.most_tokens,
            repairs=answer.repairs,
            prompt_tokens=answer.prompt_tokens,
            cached_tokens=answer.cached_tokens,
            output_tokens=answer.output_tokens,
        )

    def _question(
        self,
        brief: ScriptBrief,
        shape: type[ShapeT],
        about: str,
        task: str,
        tokens: int,
        *,
        script: Script | None = None,
        priority: int = SCRIPT_PRIORITY,
        **values: object,
    ) -> Question[ShapeT]:
        affinity = _affinity(brief)
        prompt, limits = self._fitted(
            lambda room: story_prompt(
                brief, Fences(self.secret), room, task, script=script, **values
            ),
            tokens,
            affinity,
        )
        return Question(
            shape=shape,
            messages=prompt.messages,
            marks=prompt.marks,
            limits=limits,
            sampling=self.sampling,
            seed=brief.seed,
            about=about,
            affinity=affinity,
            priority=priority,
            was_cut=prompt.was_cut,
        )

    def _compressed(self, told: str) -> str:
        prompt, limits = self._fitted(
            lambda room: long_summary_prompt(told, Fences(self.secret), room, LONG_CHARS),
            LONG_CHARS // 2,
            "",
        )
        question = Question(
            shape=LongSummaryDraft,
            messages=prompt.messages,
            marks=prompt.marks,
            limits=limits,
            sampling=self.sampling,
            seed=0,
            about="summary",
            priority=FACTS_PRIORITY,
        )
        return str(self._ask(question).value.summary)

    def _fitted(
        self, build: Callable[[Room], Prompt], tokens: int, affinity: str
    ) -> tuple[Prompt, Limits]:
        """The prompt for this server's context, counted by the server where it can count."""
        context = self.engines.context_tokens(affinity)
        for _ in range(_CALIBRATIONS):
            most = min(int(tokens * self.engines.ratio), self.limits.most_tokens, context // 2)
            prompt = build(room_for(context, most, self.engines.ratio))
            if not self.engines.calibrate(prompt.text, affinity):
                break
        return prompt, self._capped(self.limits, most)

    def _capped(self, limits: Limits, most_tokens: int) -> Limits:
        return replace(limits, most_tokens=min(limits.most_tokens, most_tokens))

    def _ask(self, question: Question[ShapeT]) -> Answer[ShapeT]:
        return ask(question, self.engines, self.watch, repairs=self.repairs)


def _affinity(brief: ScriptBrief) -> str:
    """The story's beginning in the prompt: questions that share it go to the same server."""
    base = brief.history.base if brief.history else brief.bible
    return f"{base.title}\0{base.version if brief.history else ''}"
