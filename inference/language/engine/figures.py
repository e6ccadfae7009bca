"""Reads vLLM's own figures from its Prometheus text."""

from __future__ import annotations

import math
from collections.abc import Mapping

# What is worth passing on: load, cache, waiting times, what was computed and what was reused.
SHOWN = (
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:prompt_tokens_total",
    "vllm:prompt_tokens_cached_total",
    "vllm:generation_tokens_total",
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:num_preemptions_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds_sum",
    "vllm:time_to_first_token_seconds_count",
    "vllm:e2e_request_latency_seconds_sum",
    "vllm:e2e_request_latency_seconds_count",
)


def read_figures(text: str) -> Mapping[str, float]:
    """Values by metric name; samples that differ in labels only are added up.

    Lines that are no samples are passed over: a new vLLM may say more than we know.
    """
    sums: dict[str, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name = line.partition("{")[0].split(" ", 1)[0]
        if name.endswith("_bucket"):
            continue
        behind = line.rpartition("}")[2] if "{" in line else line[len(name) :]
        words = behind.split()
        try:
            value = float(words[0])
        except (IndexError, ValueError):
            continue
        if math.isfinite(value):
            sums[name] = sums.get(name, 0.0) + value
    return sums


def shown_figures(figures: Mapping[str, float]) -> Mapping[str, float]:
    """Those worth passing on."""
    return {name: figures[name] for name in SHOWN if name in figures}
