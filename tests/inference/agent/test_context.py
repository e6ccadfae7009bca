"""The prompt: constant in size, alike from its beginning, whole where it matters."""

from __future__ import annotations

import pytest

from inference.language.agent.agent import ScriptAgent
from inference.language.agent.context import room_for, story_prompt
from inference.language.agent.fences import Fences
from inference.language.agent.presets import style_words, voice_words
from inference.language.agent.prompt_files import PROMPTS_VERSION, fingerprint
from inference.language.agent.tokens import cut_to, estimated_tokens
from inference.language.model import ScriptBrief
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_changes import BibleHistory
from storyforge.domain.bible_patch import diff
from storyforge.domain.presets import STYLE_PRESETS, VOICE_PRESETS
from storyforge.errors import ScriptInvalid
from tests.inference.agent.conftest import BIBLE, SECRET, agent_on, brief_of, summary
from tests.servers.fake_openai import FakeOpenAi, Says

FENCES = Fences(SECRET)
TASK = {"least": 1, "most": 2, "seconds": "4", "style": "x", "voice": "y", "issues": ""}


def said(brief: ScriptBrief, context: int = 16_384) -> str:
    return story_prompt(brief, FENCES, room_for(context, 1000, 1.0), "script", **TASK).text


def long_story(segments: int) -> ScriptBrief:
    bible = SceneBible(
        title="A long story",
        characters=tuple(
            Character(id=f"c{n}", name=f"Person {n}", appearance="in a grey coat of wool")
            for n in range(min(200, segments))
        ),
        places=tuple(Place(id=f"p{n}", name=f"Place {n}") for n in range(min(200, segments))),
        timeline=tuple(
            TimelineEvent(order=n, description=f"Event {n} of a long story happened at night.")
            for n in range(min(2000, segments))
        ),
    )
    recent = tuple(summary(segments + n) for n in range(5))
    return brief_of(bible=bible, recent=recent, long_summary="One more line. " * 130)


def test_a_story_of_ten_thousand_segments_asks_for_no_more_than_one_of_a_hundred() -> None:
    sizes = [estimated_tokens(said(long_story(n))) for n in (100, 1_000, 10_000)]
    assert max(sizes) < 9_000
    assert max(sizes) - min(sizes) < 0.05 * max(sizes)


@pytest.mark.parametrize("context", [4_096, 8_192, 16_384, 131_072])
def test_question_and_answer_fit_into_the_context(context: int) -> None:
    brief = long_story(10_000).model_copy(update={"text": "A word and another. " * 400})
    assert estimated_tokens(said(brief, context)) + 1000 <= context


def test_a_context_that_is_too_small_is_said_and_not_tried() -> None:
    with pytest.raises(ScriptInvalid, match="STORYFORGE_WRITER_CONTEXT_TOKENS"):
        room_for(2_048, 1_000, 1.0)


def test_a_new_segment_leaves_the_beginning_of_the_prompt_as_it_was() -> None:
    later = BIBLE.model_copy(
        update={
            "version": 2,
            "characters": (*BIBLE.characters, Character(id="fox", name="the fox")),
        }
    )
    first = brief_of("One.", history=BibleHistory(base=BIBLE), recent=(summary(1),))
    history = BibleHistory(base=BIBLE, changes=(diff(BIBLE, later),))
    second = brief_of("Two.", bible=later, history=history, recent=(summary(1), summary(2)))
    one, two = said(first), said(second)
    facts_end = one.index("<<end facts")
    assert one[:facts_end] == two[:facts_end]
    assert "new fox = the fox" in two


def test_a_segment_that_leaves_the_last_ones_keeps_its_line(agent: ScriptAgent) -> None:
    """So that the told part only grows at its end."""
    recent = tuple(summary(n) for n in range(1, 6))
    before = said(brief_of(recent=recent))
    folded = agent.fold_summary("", recent[:1])
    after = said(brief_of(recent=(*recent[1:], summary(6)), long_summary=folded))
    start = before.index("<<told so far")
    end = before.index("<<end told so far")
    assert after.startswith(before[:end].rstrip("\n"), 0), after[start:end]


def test_the_order_is_facts_changes_told_continuation_task() -> None:
    history = BibleHistory(
        base=BIBLE, changes=(diff(BIBLE, BIBLE.model_copy(update={"title": "Another"})),)
    )
    text = said(brief_of(history=history, recent=(summary(1),), long_summary="Long ago."))
    order = [
        "<<facts",
        "<<changes",
        "<<told so far",
        "Long ago.",
        "1. In",
        "<<continuation",
        "Task:",
    ]
    places = [text.rindex(part) for part in order]
    assert places == sorted(places)


def test_somebody_named_who_had_no_room_among_the_facts_is_told_all_the_same() -> None:
    brief = long_story(10_000).model_copy(update={"text": "Person 199 comes to Place 198."})
    text = said(brief)
    named = text[text.index("<<also named there") :]
    assert "- c199 = Person 199" in named
    assert "- p198 = Place 198" in named


def test_a_text_that_is_too_long_is_cut_at_a_sentence_and_the_film_says_so(
    fake: FakeOpenAi,
) -> None:
    agent = agent_on(fake.url, context_tokens=4_096)
    script = agent.expand_script(brief_of("She walks on and on. " * 380))
    assert "longer than the language model's context" in script.notice
    body = fake.chats[0]["messages"][1]["content"]
    text = body[body.index("<<continuation") : body.index("<<end continuation")]
    assert text.rstrip().endswith("on.")


def test_a_tokenizer_that_needs_more_tokens_gets_a_shorter_prompt(fake: FakeOpenAi) -> None:
    plain = agent_on(fake.url)
    brief = long_story(10_000)
    plain.expand_script(brief)
    fake.tokens_per_char = 1.0  # bytes, or a language that the vocabulary does not know
    bytewise = agent_on(fake.url)
    bytewise.expand_script(brief)
    short, long = (
        sum(len(message["content"]) for message in fake.chats[at]["messages"]) for at in (1, 0)
    )
    assert short < long
    assert short + fake.chats[1]["max_tokens"] <= 16_384


def test_the_servers_own_context_is_kept_to(fake: FakeOpenAi) -> None:
    fake.context_tokens = 4_096
    agent_on(fake.url).expand_script(long_story(1000))
    prompt = sum(estimated_tokens(message["content"]) for message in fake.chats[0]["messages"])
    assert prompt + fake.chats[0]["max_tokens"] <= 4_096


@pytest.mark.parametrize(
    "text", ["word " * 900, "Sentence one. " * 300, "森に行った。" * 300, "x" * 4000]
)
def test_a_cut_text_has_room_and_is_the_beginning(text: str) -> None:
    cut = cut_to(text, 200)
    assert text.startswith(cut)
    assert 0 < estimated_tokens(cut) <= 200


def test_every_preset_has_words() -> None:
    assert all(style_words(name) != name for name in STYLE_PRESETS)
    assert len({voice_words(name) for name in VOICE_PRESETS}) == len(VOICE_PRESETS)


def test_the_prompts_are_the_reviewed_ones() -> None:
    """Whoever changes a template raises PROMPTS_VERSION and renews this line."""
    assert (PROMPTS_VERSION, fingerprint()[:16]) == ("1", "c578b95da5575e52")


def test_a_summary_that_grows_too_long_is_compressed_by_the_model(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    fake.answers = [Says('{"summary": "All of it, short."}')]
    long_summary = "\n".join(f"{n}. Something happened again." for n in range(80))
    assert agent.fold_summary(long_summary, (summary(81),)) == "All of it, short."
    assert len(fake.chats) == 1


def test_where_the_model_cannot_compress_the_rules_do(fake: FakeOpenAi) -> None:
    notes: list[str] = []

    class Notes:
        def still_wanted(self) -> None: ...

        def note(self, text: str) -> None:
            notes.append(text)

    fake.otherwise = lambda _chat: Says("nothing")
    agent = agent_on(fake.url).watched_by(Notes())
    long_summary = "\n".join(f"{n}. Something happened again." for n in range(80))
    assert 0 < len(agent.fold_summary(long_summary, (summary(81),))) <= 2000
    assert notes == ["fake-model could not compress the summary; fixed rules cut it."]
