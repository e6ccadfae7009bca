"""The LanguageModel protocol: what the writing stages ask of whoever writes."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleHistory
from storyforge.domain.continuity import ContinuityIssue
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary
from storyforge.domain.wire import Wire


class ScriptBrief(Wire):
    """All that a writer gets for one continuation; its size does not grow with the story.

    text: the reader's words, which are data and never instructions.
    target_seconds: what the shots must add up to. history: None, or how the bible came to be.
    """

    text: str
    bible: SceneBible
    recent: tuple[SegmentSummary, ...] = ()
    long_summary: str = ""
    target_seconds: float
    style_preset: str = ""
    voice_preset: str = ""
    seed: int = 0
    history: BibleHistory | None = None


class LanguageModel(Protocol):
    """Writes scripts, and says what they change in the story's facts."""

    @property
    def name(self) -> str:
        """Name and version, kept with everything it wrote."""
        ...

    def expand_script(self, brief: ScriptBrief) -> Script:
        """Turn the continuation into shots that add up to `target_seconds`.

        Raises ScriptInvalid when no usable script comes within the bounded repairs, and
        Unavailable when the model does not answer.
        """
        ...

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        """Write the script anew without these contradictions; the script itself if it cannot.

        Asked at most once for a script. Raises ScriptInvalid and Unavailable as above.
        """
        ...

    def move_bible(self, brief: ScriptBrief, script: Script, segment_number: int) -> SceneBible:
        """The bible after this segment: new people, places and events; version + 1."""
        ...

    def summarise(self, brief: ScriptBrief, script: Script) -> str:
        """One or two sentences on what happens in this segment."""
        ...

    def fold_summary(self, long_summary: str, summaries: tuple[SegmentSummary, ...]) -> str:
        """The rolling summary of all older segments, of bounded length (about 2,000 chars)."""
        ...


class WriteWatch(Protocol):
    """Whoever waits for a writer."""

    def still_wanted(self) -> None:
        """Called a few times a second while a model writes; raises to stop it."""
        ...

    def note(self, text: str) -> None:
        """Something that the record of this job should say."""
        ...


class Unwatched:
    """Nobody waits, and nobody reads the notes."""

    def still_wanted(self) -> None:
        """Always."""

    def note(self, text: str) -> None:
        """Forget it."""


@runtime_checkable
class Watchable(Protocol):
    """A writer that takes its time: it can be stopped, and it leaves notes."""

    def watched_by(self, watch: WriteWatch) -> LanguageModel:
        """The same writer, for one job."""
        ...


def watched(language: LanguageModel, watch: WriteWatch) -> LanguageModel:
    """The writer under this watch; one that is done at once needs none."""
    return language.watched_by(watch) if isinstance(language, Watchable) else language
