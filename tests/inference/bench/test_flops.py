"""Counted operations agree with the formulas of the architectures."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.bench.architectures import write_architecture
from inference.video.diffusion.folder import read_folder
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from tests.inference.diffusion.takes import QUIET, a_take
from tests.tiny_models.fixtures import TinyModel

pytestmark = pytest.mark.usefixtures("engines")


def without_data(name: str, component: str, into: Path) -> Any:
    import diffusers  # noqa: PLC0415 - only where it is installed
    import torch  # noqa: PLC0415 - likewise

    config = read_folder(write_architecture(name, into), weights=False).config(component)
    with torch.device("meta"):
        return getattr(diffusers, str(config["_class_name"])).from_config(dict(config))


def wan_flops(layers: int, dim: int, inner: int, tokens: int, text: int = 512) -> tuple[int, int]:
    """One forward of Wan's transformer, embeddings aside: all operations, and attention's."""
    attention = 4 * tokens**2 * dim + 4 * tokens * text * dim
    products = 8 * tokens * dim**2 + 4 * tokens * dim**2 + 4 * text * dim**2
    return layers * (attention + products + 4 * tokens * dim * inner), layers * attention


def test_a_full_size_forward_is_counted_as_the_formula_says(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.bench.flops import CallRecorder, count_calls  # noqa: PLC0415 - likewise

    model = without_data("wan2.1-t2v-1.3b", "transformer", tmp_path)
    recorder = CallRecorder()
    with recorder.watching(model), torch.no_grad(), torch.device("meta"):
        for _ in range(2):  # as guidance does
            model(
                hidden_states=torch.empty(1, 16, 21, 60, 104),
                timestep=torch.empty(1),
                encoder_hidden_states=torch.empty(1, 512, 4096),
            )
    (call,) = recorder.calls
    assert call[1] == 2
    counted = count_calls(model, recorder.calls)
    total, attention = wan_flops(30, 1536, 8960, tokens=21 * 30 * 52)
    assert counted.total == pytest.approx(2 * total, rel=0.005)
    assert counted.attention == pytest.approx(2 * attention, rel=1e-6)
    assert counted.attention_share == pytest.approx(0.71, abs=0.01)


def test_the_streamed_decode_does_just_the_work_of_the_model_s_own(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - only where it is installed
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415 - likewise

    from inference.bench.flops import count_decode  # noqa: PLC0415 - likewise
    from inference.video.diffusion.wan import WanAdapter  # noqa: PLC0415 - likewise

    vae, shape = without_data("wan2.1-t2v-1.3b", "vae", tmp_path), (1, 16, 3, 60, 104)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        vae.decode(torch.empty(shape, device="meta"), return_dict=False)
    state = torch.Generator().get_state()
    flops = count_decode(WanAdapter(), SimpleNamespace(vae=vae), shape, state)
    assert flops.total == counter.get_total_flops() > 10e12


def test_calls_of_a_running_model_are_noted_without_their_data(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    from inference.bench.flops import CallRecorder, count_calls  # noqa: PLC0415 - needs torch

    model = DiffusionVideoModel(tiny_model("wan.wan22_ti2v"), ModelOptions(steps=2))
    pipeline = model.studio().loaded().pipeline
    steps, words = CallRecorder(), CallRecorder()
    with steps.watching(pipeline.transformer), words.watching(pipeline.text_encoder):
        model.render(a_take(), tmp_path / "shot.clip", QUIET)
    assert sum(count for _, count in steps.calls) == 2 * 2  # two steps, with guidance
    assert sum(count for _, count in words.calls) == 2  # the shot's words, and the negative ones
    assert count_calls(pipeline.transformer, steps.calls).attention > 0
    assert count_calls(pipeline.text_encoder, words.calls).total > 0
    assert {
        one.device.type
        for call, _ in steps.calls
        for one in call[1].values()
        if hasattr(one, "device")
    } == {"meta"}
