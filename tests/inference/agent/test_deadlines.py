"""A server that is late, silent, dead, asleep or broken ends an attempt with a name, never hangs it."""

from __future__ import annotations

import threading

import pytest

from inference.language.agent.breaker import Breaker
from storyforge.errors import ModelLoading, Unavailable, WriterUnreachable
from tests.inference.agent.conftest import agent_on, brief_of
from tests.servers.fake_openai import FakeOpenAi, Says, honest
from tests.servers.postgres import free_port


class Cancel(Exception):
    pass


class Impatient:
    """Wants the answer no more once something was heard from the server."""

    def __init__(self, fake: FakeOpenAi) -> None:
        self.fake = fake

    def still_wanted(self) -> None:
        if self.fake.chats:
            raise Cancel

    def note(self, text: str) -> None:
        raise AssertionError(text)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Says("x" * 50, stall_before=0), "said nothing for 0.3 s"),
        (Says("x" * 50, stall_before=3), "went silent after 3 pieces for 0.3 s"),
        (Says("x" * 50, break_after=2), "broke off"),
        (Says(status=500), "status 500"),
        (Says(status=502), "status 502"),
        (Says(status=401), "STORYFORGE_WRITER_KEY"),
        (Says(status=404), "STORYFORGE_WRITER_MODEL"),
    ],
)
def test_each_failure_is_unavailable_and_says_what_it_was(
    fake: FakeOpenAi, says: Says, words: str
) -> None:
    agent = agent_on(fake.url, first_token_s=0.3, between_tokens_s=0.3)
    fake.answers = [says]
    with pytest.raises(WriterUnreachable, match=words):
        agent.expand_script(brief_of())
    assert agent.expand_script(brief_of()).shots, "and the next attempt goes through"


def test_an_answer_that_never_ends_has_a_deadline_too(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url, answer_s=0.5, between_tokens_s=5.0)
    fake.answers = [Says("x" * 50, stall_before=3)]
    with pytest.raises(WriterUnreachable, match=r"not done within 0\.5 s"):
        agent.expand_script(brief_of())


def test_a_late_answer_is_hung_up_on_so_that_the_server_stops_writing(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url, first_token_s=0.3)
    fake.answers = [Says("x", stall_before=0)]
    with pytest.raises(WriterUnreachable):
        agent.expand_script(brief_of())
    assert fake.hung_up.wait(5)


def test_a_cancel_passes_through_as_it_is_and_hangs_up(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url).watched_by(Impatient(fake))
    fake.answers = [Says("x" * 50, stall_before=3)]
    with pytest.raises(Cancel):
        agent.expand_script(brief_of())
    assert fake.hung_up.wait(5)


def test_a_sleeping_server_is_not_asked_and_the_job_waits(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url)
    fake.asleep = True
    for _ in range(5):  # sleep is no failure: the breaker stays closed
        with pytest.raises(ModelLoading, match="sleeps"):
            agent.expand_script(brief_of())
    assert fake.chats == []
    fake.asleep = False
    assert agent.expand_script(brief_of()).shots


def test_a_server_put_to_sleep_in_mid_answer_is_model_loading(fake: FakeOpenAi) -> None:
    fake.answers = [Says("{", finish="abort")]
    with pytest.raises(ModelLoading, match="put to sleep"):
        agent_on(fake.url).expand_script(brief_of())


def test_nobody_there_is_unavailable_and_soon_left_alone() -> None:
    agent = agent_on(f"http://127.0.0.1:{free_port()}")
    for _ in range(3):
        with pytest.raises(WriterUnreachable, match="does not answer"):
            agent.expand_script(brief_of())
    with pytest.raises(WriterUnreachable, match="left alone") as caught:
        agent.expand_script(brief_of())
    assert 0 < caught.value.retry_after_s <= 5


def test_when_one_of_two_servers_fails_the_other_writes(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url)
    dead = f"http://127.0.0.1:{free_port()}"
    both = agent_on(f"{dead}", model="fake-model")
    both.engines._lines += agent.engines._lines
    passed = 0
    for _ in range(5):
        try:
            passed += bool(both.expand_script(brief_of()).shots)
        except Unavailable:
            continue
    assert passed >= 2


def test_chats_of_many_jobs_at_once_do_not_disturb_each_other(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url)
    fake.otherwise = honest
    scripts: list[int] = []
    threads = [
        threading.Thread(target=lambda: scripts.append(len(agent.expand_script(brief_of()).shots)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scripts) == 8


def test_the_breaker_rests_longer_each_time_and_closes_after_an_answer() -> None:
    state, now_s, rests = Breaker(), 100.0, []
    for _ in range(9):
        state = state.after_failure(now_s)
        rests.append(state.wait_s(now_s))
        now_s += rests[-1]
        assert state.wait_s(now_s) == 0, "after the rest one request may try"
    assert rests == [0, 0, 5, 10, 20, 40, 60, 60, 60]
    assert state.after_success() == Breaker()
