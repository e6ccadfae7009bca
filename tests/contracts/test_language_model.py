"""One contract for whoever writes: rules, the script agent on a fake server, and on the real vLLM."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from inference.language.agent.agent import ScriptAgent
from inference.language.model import LanguageModel, ScriptBrief, Watchable, watched
from inference.language.rule_writer.writer import RuleWriter
from storyforge.domain.bible import Character, Place, SceneBible
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity
from storyforge.domain.script import Script
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import ScriptInvalid
from tests.inference.agent.conftest import agent_on
from tests.servers.fake_openai import FakeOpenAi
from tests.servers.vllm import VllmServer

BIBLE = SceneBible(
    version=3,
    title="The lamp",
    characters=(Character(id="mira", name="Mira Voss", traits=("a young woman",)),),
    places=(Place(id="lamp", name="The Old Lighthouse"),),
)
TEXT = "Mira climbs the stairs of the lighthouse. A stranger waits at the lamp."
pytestmark = pytest.mark.timeout(600)  # the real server's start, on a busy machine


@pytest.fixture(params=["rules", "fake", pytest.param("vllm", marks=pytest.mark.vllm)])
def writer(request: pytest.FixtureRequest) -> Iterator[LanguageModel]:
    if request.param == "rules":
        yield RuleWriter()
    elif request.param == "fake":
        with FakeOpenAi() as server:
            yield agent_on(server.url)
    else:
        server: VllmServer = request.getfixturevalue("vllm")
        yield server.agent()


def brief_of(text: str = TEXT, seconds: float = 4.0, seed: int = 1) -> ScriptBrief:
    return ScriptBrief(text=text, bible=BIBLE, target_seconds=seconds, seed=seed)


def written(writer: LanguageModel, brief: ScriptBrief) -> Script:
    """A script; a model of noise may need another seed."""
    for seed in range(brief.seed, brief.seed + 5):
        try:
            return writer.expand_script(brief.model_copy(update={"seed": seed}))
        except ScriptInvalid:
            continue
    pytest.fail("no script with five seeds")


@pytest.mark.parametrize("seconds", [1.0, 4.0, 6.5])
def test_the_shots_add_up_and_the_script_is_whole(writer: LanguageModel, seconds: float) -> None:
    script = written(writer, brief_of(seconds=seconds))
    assert sum(round(shot.seconds * 1000) for shot in script.shots) == round(seconds * 1000)
    assert Script.model_validate(script.to_json()) == script
    assert all(shot.prompt.strip() for shot in script.shots)
    assert script.writer == writer.name
    script.model_dump_json().encode()


def test_the_bible_moves_by_one_version_and_loses_no_fact(writer: LanguageModel) -> None:
    brief = brief_of()
    moved = writer.move_bible(brief, written(writer, brief), 4)
    assert moved.version == BIBLE.version + 1
    assert SceneBible.model_validate(moved.to_json()) == moved
    assert {"mira"} <= {one.id for one in moved.characters}
    assert {"lamp"} <= {one.id for one in moved.places}
    assert moved.characters[0].traits[:1] == ("a young woman",)
    assert len(moved.timeline) == 1
    assert moved.timeline[0].segment_number == 4


def test_summaries_are_short_and_the_long_one_stays_bounded(writer: LanguageModel) -> None:
    brief = brief_of()
    told = writer.summarise(brief, written(writer, brief))
    assert 0 < len(told) <= 300
    long_summary = ""
    for number in range(1, 12):
        leaving = SegmentSummary(
            segment_id=UUID(int=number), number=number, summary=f"{number}: {'a storm. ' * 28}"
        )
        long_summary = writer.fold_summary(long_summary, (leaving,))
        assert 0 < len(long_summary) <= 2000


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_length_that_no_script_can_have_is_script_invalid(
    writer: LanguageModel, seconds: float
) -> None:
    with pytest.raises(ScriptInvalid):
        writer.expand_script(brief_of(seconds=seconds))


def test_a_revision_is_a_whole_script_of_the_same_length(writer: LanguageModel) -> None:
    brief = brief_of()
    issue = ContinuityIssue(
        type=IssueType.NAME_DRIFT,
        severity=Severity.ERROR,
        description="Myra is not in the bible.",
        location="shots[0].narration:0-4",
        suggestion="Mira",
    )
    script = written(writer, brief)
    try:
        revised = writer.revise(brief, script, (issue,))
    except ScriptInvalid:
        assert isinstance(writer, ScriptAgent), "rules always have a script"
        return
    assert revised.seconds == pytest.approx(4.0)


@pytest.mark.parametrize("text", ["", " \n", "\x00\ud800", "x" * 8000, "🦊" * 500])
def test_any_text_ends_in_a_script_or_in_script_invalid(writer: LanguageModel, text: str) -> None:
    try:
        script = writer.expand_script(brief_of(text, seconds=2.0))
    except ScriptInvalid:
        assert isinstance(writer, ScriptAgent)
        return
    script.model_dump_json().encode()


def test_a_watch_changes_nothing_but_who_is_asked(writer: LanguageModel) -> None:
    class Counting:
        asked = 0

        def still_wanted(self) -> None:
            self.asked += 1

        def note(self, text: str) -> None:
            raise AssertionError(text)

    watch = Counting()
    script = written(watched(writer, watch), brief_of(seconds=2.0))
    assert script.writer == writer.name
    assert (watch.asked > 0) is isinstance(writer, Watchable)
