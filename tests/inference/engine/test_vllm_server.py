"""The real vLLM as the node starts it: it generates, sleeps, wakes, counts, and tells its figures."""

from __future__ import annotations

import pytest

from storyforge.errors import WriterUnreachable
from tests.servers.vllm import CONTEXT_TOKENS, VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]  # its start, on a busy machine


def test_it_serves_the_model_by_its_name_with_the_context_asked_for(vllm: VllmServer) -> None:
    assert vllm.control.models() == {"tiny-writer": CONTEXT_TOKENS}


def test_a_generation_of_one_token_is_its_sign_of_life(vllm: VllmServer) -> None:
    before = vllm.control.figures()["vllm:generation_tokens_total"]
    vllm.control.generate_one_token("tiny-writer", timeout_s=30.0)
    assert vllm.control.figures()["vllm:generation_tokens_total"] > before


def test_it_sleeps_and_wakes_and_says_so(vllm: VllmServer) -> None:
    assert not vllm.control.is_sleeping()
    vllm.control.drain(timeout_s=10.0)
    vllm.control.sleep()
    assert vllm.control.is_sleeping()
    vllm.control.wake()
    assert not vllm.control.is_sleeping()
    vllm.control.generate_one_token("tiny-writer", timeout_s=30.0)


def test_while_it_sleeps_no_token_comes_and_the_probe_says_so_in_time(vllm: VllmServer) -> None:
    vllm.control.sleep()
    with pytest.raises(WriterUnreachable):
        vllm.control.generate_one_token("tiny-writer", timeout_s=1.0)


def test_it_counts_tokens(vllm: VllmServer) -> None:
    short, long = (vllm.control.count_tokens("tiny-writer", "fox " * n) for n in (1, 100))
    assert short is not None
    assert long is not None
    assert long > 50 * short
