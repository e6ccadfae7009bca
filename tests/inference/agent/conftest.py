"""Agents on a fake server, and the story that they write on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from inference.language.agent.agent import ScriptAgent
from inference.language.agent.chat_server import Limits, Sampling
from inference.language.agent.engines import Engines
from inference.language.model import ScriptBrief
from storyforge.domain.bible import Character, Place, SceneBible
from storyforge.domain.segment import SegmentSummary
from tests.servers.fake_openai import FakeOpenAi

SECRET = b"a secret of the tests' own, 32 b"
BIBLE = SceneBible(
    title="The lamp",
    characters=(
        Character(id="mira", name="Mira Voss", aliases=("the keeper",), appearance="grey coat"),
        Character(id="tom", name="Tom", traits=("an old man",)),
    ),
    places=(Place(id="lamp", name="The Old Lighthouse", facts=("whitewashed",)),),
    rules=("Nobody can fly.",),
)
MakeAgent = Callable[..., ScriptAgent]


def agent_on(url: str, **changes: Any) -> ScriptAgent:
    """An agent with short deadlines on the server at this URL."""
    limits = Limits(
        most_tokens=changes.pop("most_tokens", 4000),
        first_token_s=changes.pop("first_token_s", 5.0),
        between_tokens_s=changes.pop("between_tokens_s", 5.0),
        answer_s=changes.pop("answer_s", 60.0),
    )
    engines = Engines(
        [url],
        changes.pop("model", ""),
        changes.pop("key", ""),
        context_tokens=changes.pop("context_tokens", 16_384),
        bounded_strings=changes.pop("bounded_strings", True),
    )
    fields = {"label": "fake-model", "secret": SECRET, "sampling": Sampling(), **changes}
    return ScriptAgent(engines=engines, limits=limits, **fields)


def brief_of(text: str = "Mira climbs the stairs. Tom waits below.", **changes: Any) -> ScriptBrief:
    return ScriptBrief(
        text=text,
        target_seconds=changes.pop("seconds", 8.0),
        bible=changes.pop("bible", BIBLE),
        **changes,
    )


def summary(number: int, text: str = "") -> SegmentSummary:
    told = text or f"In chapter {number} Mira met another storm on the way to the bay."
    return SegmentSummary(segment_id=UUID(int=number), number=number, summary=told)


@pytest.fixture
def fake() -> Iterator[FakeOpenAi]:
    with FakeOpenAi() as server:
        yield server


@pytest.fixture
def agent(fake: FakeOpenAi) -> ScriptAgent:
    return agent_on(fake.url)
