"""A scene's prompts begin alike: most of each comes out of the real server's cache."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.prefix_cache import shares
from tests.servers.vllm import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]


def test_of_twenty_continuations_the_median_prompt_is_cached_to_seventy_per_cent(
    vllm: VllmServer,
) -> None:
    found = shares(vllm.agent(), vllm.control, 20)
    assert len(found) == 20
    assert statistics.median(found) >= 0.70, found
