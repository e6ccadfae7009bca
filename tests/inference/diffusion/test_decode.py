"""Streaming decode: bit-identical to the pipelines' own, chunk by chunk, from several threads."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.video.model import Frames
from storyforge.errors import QualityRefused, RenderFailed
from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import QUIET, STEPS, a_take

NATIVE = {"wan.wan21_t2v": 16, "wan.wan22_ti2v": 24, "ltx.ltx_t2v": 24, "ltx.ltx_condition": 24}


def own_film(model: Any, request: Any) -> Frames:
    """The same shot through the pipeline's own call and decode, in 8 bits."""
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.prompts import prompt_of  # noqa: PLC0415

    loaded, family, clip = model.studio().loaded(), model.family, model.plan(request)
    extra: dict[str, Any] = {}
    if "LTX" in type(loaded.pipeline).__name__:
        extra = {"frame_rate": clip.fps}
        if loaded.pipeline.vae.config.timestep_conditioning:
            extra |= {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
    if type(loaded.pipeline).__name__ == "LTXConditionPipeline":
        from diffusers.pipelines.ltx.pipeline_ltx_condition import (  # noqa: PLC0415
            linear_quadratic_schedule,
        )

        extra["timesteps"] = (linear_quadratic_schedule(STEPS) * 1000).tolist()
    video = loaded.pipeline(
        prompt=prompt_of(request),
        negative_prompt=family.negative_prompt,
        width=clip.width,
        height=clip.height,
        num_frames=clip.frames,
        num_inference_steps=STEPS,
        guidance_scale=family.guidance,
        max_sequence_length=family.text_tokens,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="pt",
        **extra,
    ).frames[0]
    return np.asarray((video * 255).round().to(torch.uint8).permute(0, 2, 3, 1))


@pytest.mark.parametrize("name", NATIVE)
def test_our_frames_are_the_pipeline_s_own_bit_by_bit(
    name: str, opened: Opener, result: Path
) -> None:
    model = opened(name)
    request = a_take(fps=NATIVE[name], frames=9)
    model.render(request, result, QUIET)
    ours = np.concatenate(list(model.frames(request, result)))
    assert np.array_equal(ours, own_film(model, request)[:9])


def test_a_wan_decode_gives_its_first_frame_long_before_its_last(
    opened: Opener, result: Path
) -> None:
    model, request = opened("wan.wan22_ti2v"), a_take(frames=17)
    model.render(request, result, QUIET)
    passes: list[int] = []
    model.studio().loaded().pipeline.vae.decoder.register_forward_hook(lambda *_: passes.append(1))
    stream = model.frames(request, result)
    assert (len(next(stream)), len(passes)) == (1, 1)
    assert [len(chunk) for chunk in stream] == [4, 4, 4, 4]
    assert len(passes) == 5


def test_decoding_stops_after_the_last_frame_that_is_shown(opened: Opener, result: Path) -> None:
    model, request = opened("wan.wan22_ti2v"), a_take(frames=17)
    model.render(request, result, QUIET)
    passes: list[int] = []
    model.studio().loaded().pipeline.vae.decoder.register_forward_hook(lambda *_: passes.append(1))
    assert sum(len(chunk) for chunk in model.frames(a_take(frames=5), result)) == 5
    assert len(passes) == 2


@pytest.mark.parametrize(("fps", "frames"), [(24, 9), (12, 5), (30, 11), (25, 1)])
@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "ltx.ltx_t2v"])
def test_any_speed_gives_exactly_the_frames_that_are_wanted(
    name: str, fps: int, frames: int, opened: Opener, result: Path
) -> None:
    model, request = opened(name), a_take(fps=fps, frames=frames)
    model.render(request, result, QUIET)
    assert sum(len(chunk) for chunk in model.frames(request, result)) == frames


@pytest.mark.parametrize("name", ["wan.wan21_i2v", "wan.wan22_ti2v", "ltx.ltx_condition"])
def test_decoding_one_shot_while_another_renders_changes_neither(
    name: str, opened: Opener, tmp_path: Path
) -> None:
    """Image models encode their picture with the same VAE while it decodes."""
    model, first, second = opened(name), a_take(frames=17), a_take("A blue boat.", seed=8)
    paths = [tmp_path / name for name in ("first", "second", "beside")]
    model.render(first, paths[0], QUIET)
    model.render(second, paths[1], QUIET)
    wanted = np.concatenate(list(model.frames(first, paths[0])))
    got: list[Frames] = []
    begun = threading.Event()

    def decode() -> None:
        for chunk in model.frames(first, paths[0]):
            got.append(chunk)
            begun.set()

    thread = threading.Thread(target=decode)
    thread.start()
    assert begun.wait(60)
    model.render(second, paths[2], QUIET)
    thread.join()
    assert np.array_equal(np.concatenate(got), wanted)
    assert paths[2].read_bytes() == paths[1].read_bytes()


def test_two_decodes_taking_turns_on_one_model_stay_exact(opened: Opener, tmp_path: Path) -> None:
    model = opened("wan.wan21_t2v")
    requests = [a_take(fps=16), a_take("A blue boat.", fps=16, seed=8)]
    paths = [tmp_path / "0", tmp_path / "1"]
    for request, path in zip(requests, paths, strict=True):
        model.render(request, path, QUIET)
    alone = [list(model.frames(*pair)) for pair in zip(requests, paths, strict=True)]
    streams = [model.frames(*pair) for pair in zip(requests, paths, strict=True)]
    for pair in zip(*streams, strict=True):
        for given, wanted in zip(pair, (alone[0].pop(0), alone[1].pop(0)), strict=True):
            assert np.array_equal(given, wanted)


def test_a_decode_leaves_the_caller_s_thread_able_to_learn(opened: Opener, result: Path) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    model = opened("wan.wan22_ti2v")
    model.render(a_take(), result, QUIET)
    stream = model.frames(a_take(), result)
    next(stream)
    assert torch.is_grad_enabled()


class TestFit:
    """From decoded chunks to bytes, without a model."""

    @pytest.fixture(autouse=True)
    def _torch(self, engines: None) -> None:
        return

    def test_an_exact_size_is_only_rounded(self) -> None:
        import torch  # noqa: PLC0415 - only where it is installed

        from inference.video.diffusion.frame_fit import to_bytes  # noqa: PLC0415

        video = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1, 1).expand(1, 3, 2, 4, 6)
        frames = to_bytes(video, 6, 4)
        assert frames.shape == (2, 4, 6, 3)
        assert frames.flags.c_contiguous
        assert frames[0, 0, 0].tolist() == [0, 128, 255]

    @pytest.mark.parametrize("size", [(64, 64), (128, 96), (50, 30), (30, 50), (8, 8)])
    def test_another_size_is_covered_and_cropped_around_the_middle(
        self, size: tuple[int, int]
    ) -> None:
        import torch  # noqa: PLC0415 - only where it is installed

        from inference.video.diffusion.frame_fit import to_bytes  # noqa: PLC0415

        width, height = size
        video = torch.full((1, 3, 1, 48, 64), -1.0)
        video[..., 16:32, 24:40] = 1.0  # white in the middle
        frames = to_bytes(video, width, height)
        assert frames.shape == (1, height, width, 3)
        assert frames[0, height // 2, width // 2].min() > 200
        assert frames[0, :, 0].max() < 100

    def test_chunks_that_end_too_early_are_noticed(self) -> None:
        import torch  # noqa: PLC0415 - only where it is installed

        from inference.video.diffusion.frame_fit import fit_frames  # noqa: PLC0415

        with pytest.raises(RenderFailed, match="frame 4"):
            list(fit_frames(iter([torch.zeros(1, 3, 4, 8, 8)]), (0, 1, 2, 4), 8, 8))


def test_a_decoder_that_gives_no_numbers_is_refused_at_that_chunk(engines: None) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.frame_fit import fit_frames  # noqa: PLC0415 - needs torch

    spoilt = torch.zeros(1, 3, 2, 8, 8)
    spoilt[0, 1, 1, 4, 4] = float("nan")
    frames = fit_frames(iter([torch.zeros(1, 3, 2, 8, 8), spoilt]), (0, 1, 2, 3), 8, 8)
    assert len(next(frames)) == 2
    with pytest.raises(QualityRefused, match="no numbers"):
        next(frames)
