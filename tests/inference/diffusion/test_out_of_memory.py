"""Memory that runs out on real tiny models: the plan gets smaller, the film stays the same (F30)."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.video.memory_ladder import Saving
from storyforge.errors import DeviceOutOfMemory, GpuTooSmall
from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import QUIET, a_take, filmed

FULL_CARD = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB."
LADDER = (
    Saving.TAKE_TURNS,
    Saving.TEXT_ON_CPU,
    Saving.OFFLOAD_MODELS,
    Saving.OFFLOAD_BLOCKS,
    Saving.OFFLOAD_LEAVES,
)
Failing = Callable[[type, Callable[[], bool]], list[int]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Let a real class's forward run out of memory, midway, whenever `short` says so."""

    def arm(kind: type, short: Callable[[], bool]) -> list[int]:
        import torch  # noqa: PLC0415 - only where it is installed

        real, calls = kind.forward, []  # type: ignore[attr-defined]

        def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(len(calls))
            if short():
                held = torch.ones(1 << 16)  # what the failed pass held
                calls_held.append(weakref.ref(held))
                raise torch.OutOfMemoryError(FULL_CARD)
            return real(self, *args, **kwargs)

        monkeypatch.setattr(kind, "forward", forward)
        return calls

    calls_held: list[Any] = []
    arm.held = calls_held  # type: ignore[attr-defined]
    return arm


def recipe_of(result: Path) -> Any:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    return read_recipe(result)


def transformer_class() -> type:
    from diffusers import WanTransformer3DModel  # noqa: PLC0415 - only where it is installed

    return WanTransformer3DModel  # type: ignore[no-any-return]


def wan_decoder(model: Any) -> type:
    return type(model.studio().loaded().pipeline.vae.decoder)


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "wan.wan21_i2v", "wan.wan22_a14b_t2v"])
def test_memory_that_runs_out_while_rendering_changes_the_plan_and_not_the_film(
    name: str, opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    """Rung by rung down the ladder; the film of every rung is the same, bit by bit.

    But for whole-model offload: on a CPU it copies the weights, and how they lie in memory decides
    how a sum is rounded.
    """
    wanted = filmed(opened(name), a_take(), tmp_path / "full")
    model = opened(name)
    needed: list[Saving] = []
    failing(transformer_class(), lambda: not all(model.studio().plan.has(one) for one in needed))
    for depth, saving in enumerate(LADDER, start=1):
        needed.append(saving)
        result = tmp_path / f"rung-{depth}"
        got = filmed(model, a_take(), result)
        apart = abs(got.astype(int) - wanted).max()
        assert apart <= (1 if saving is Saving.OFFLOAD_MODELS else 0)
        assert recipe_of(result).memory == LADDER[:depth]
        assert recipe_of(result).lossy == ()


def test_the_next_shot_starts_where_the_last_one_worked(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    model = opened("wan.wan22_ti2v")
    passes = failing(
        transformer_class(), lambda: not model.studio().plan.has(Saving.OFFLOAD_BLOCKS)
    )
    model.render(a_take(), tmp_path / "first", QUIET)
    before = len(passes)
    model.close()
    model.render(a_take(seed=8), tmp_path / "second", QUIET)
    assert len(passes) - before == 4, "two steps, each with and without the prompt, none failed"
    assert recipe_of(tmp_path / "second").memory == LADDER[:4]


def test_what_the_failed_pass_held_is_free_before_the_next_rung(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    model = opened("wan.wan22_ti2v")
    alive: list[int] = []

    def short() -> bool:
        alive.append(sum(one() is not None for one in failing.held))  # type: ignore[attr-defined]
        return not model.studio().plan.has(Saving.OFFLOAD_MODELS)

    failing(transformer_class(), short)
    model.render(a_take(), tmp_path / "shot", QUIET)
    assert len(failing.held) == 3  # type: ignore[attr-defined]
    assert set(alive) == {0}


def test_weights_that_do_not_fit_are_loaded_by_a_smaller_plan(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that has room for one part at a time."""
    import torch  # noqa: PLC0415 - only where it is installed
    from diffusers import DiffusionPipeline  # noqa: PLC0415 - likewise

    wanted = filmed(opened("wan.wan22_ti2v"), a_take(), tmp_path / "full")
    real, refused = DiffusionPipeline.to, []

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs:  # model offload itself calls it with one, to empty the card
            refused.append(self.text_encoder is not None)
            raise torch.OutOfMemoryError(FULL_CARD)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(DiffusionPipeline, "to", to)
    model = opened("wan.wan22_ti2v")
    got = filmed(model, a_take(), tmp_path / "shot")
    assert abs(got.astype(int) - wanted).max() <= 1
    assert refused == [True, False]
    assert recipe_of(tmp_path / "shot").memory == (Saving.TEXT_ON_CPU, Saving.OFFLOAD_MODELS)


def test_a_prompt_that_does_not_fit_is_encoded_on_the_host(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    wanted = filmed(opened("ltx.ltx_t2v"), a_take(), tmp_path / "full")
    model = opened("ltx.ltx_t2v")
    encoder = type(model.studio().loaded().pipeline.text_encoder)
    failing(encoder, lambda: not model.studio().plan.has(Saving.TEXT_ON_CPU))
    assert np.array_equal(filmed(model, a_take(), tmp_path / "shot"), wanted)
    assert recipe_of(tmp_path / "shot").memory == LADDER[:2]


def test_memory_that_runs_out_in_the_middle_of_a_decode_repeats_no_frame(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    model, request = opened("wan.wan22_ti2v"), a_take(frames=17)
    wanted = filmed(model, request, tmp_path / "shot")
    fails = iter([False, False, True, False, True])
    passes = failing(wan_decoder(model), lambda: next(fails, False))
    chunks = list(model.frames(request, tmp_path / "shot"))
    assert [len(chunk) for chunk in chunks] == [1, 4, 4, 4, 4]
    assert np.array_equal(np.concatenate(chunks), wanted)
    assert len(passes) > 5
    assert model.studio().plan.savings == LADDER[:2]


def test_a_whole_clip_that_does_not_fit_is_streamed(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    model, request = opened("ltx.ltx_t2v"), a_take(frames=17)
    wanted = filmed(model, request, tmp_path / "shot").astype(int)
    vae = type(model.studio().loaded().pipeline.vae)

    def decode(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError(FULL_CARD)

    monkeypatch.setattr(vae, "decode", decode)
    streamed = np.concatenate(list(model.frames(request, tmp_path / "shot")))
    assert abs(streamed.astype(int) - wanted).max() <= 1
    assert model.studio().plan.savings == (Saving.TAKE_TURNS, Saving.STREAM)
    model.render(request, tmp_path / "next", QUIET)
    assert recipe_of(tmp_path / "next").decode == "streamed: equal to the whole but for rounding"


@pytest.fixture
def only_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card on which the Wan decoder only fits frames below 64 pixels."""
    import torch  # noqa: PLC0415 - only where it is installed
    from diffusers import AutoencoderKLWan  # noqa: PLC0415 - likewise

    real_enable = AutoencoderKLWan.enable_tiling

    def enable_tiling(self: Any) -> None:
        real_enable(self, 64, 64, 48, 48)

    monkeypatch.setattr(AutoencoderKLWan, "enable_tiling", enable_tiling)
    from diffusers.models.autoencoders import autoencoder_kl_wan  # noqa: PLC0415 - likewise

    real = autoencoder_kl_wan.WanDecoder3d.forward

    def forward(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if max(x.shape[-2:]) * 16 > 64:
            raise torch.OutOfMemoryError(FULL_CARD)
        return real(self, x, *args, **kwargs)

    monkeypatch.setattr(autoencoder_kl_wan.WanDecoder3d, "forward", forward)


def test_tiles_come_last_and_are_the_vae_s_own_and_in_the_recipe(
    opened: Opener, tmp_path: Path, only_tiles: None
) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.saved_clip import load_clip  # noqa: PLC0415 - likewise

    model, request = opened("wan.wan22_ti2v"), a_take(width=128, height=96)
    ours = filmed(model, request, tmp_path / "shot")
    assert model.studio().plan.savings == (*LADDER[:3], Saving.TILES)
    assert recipe_of(tmp_path / "shot").lossy == (), "it was rendered whole"
    vae = model.studio().loaded().pipeline.vae
    latents = load_clip(tmp_path / "shot").latents
    mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1)
    scale = 1.0 / torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)
    vae.enable_tiling()
    with torch.no_grad():
        own = vae.tiled_decode(latents / scale + mean, return_dict=False)[0]
    own = ((own[0] / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 3, 0)
    assert np.array_equal(ours, np.asarray(own)[: len(ours)])
    model.render(request, tmp_path / "next", QUIET)
    assert recipe_of(tmp_path / "next").lossy == ("tiles",)
    assert "tiles" in recipe_of(tmp_path / "next").decode


def test_a_clip_is_never_half_whole_and_half_tiled(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    """The attempt ends instead, and the next one decodes it from its first frame."""
    model, request = opened("wan.wan22_ti2v"), a_take(frames=17)
    model.render(request, tmp_path / "shot", QUIET)
    studio = model.studio()
    seen: list[int] = []

    def short() -> bool:
        seen.append(1)
        return len(seen) > 2 and not studio.plan.has(Saving.TILES)

    failing(wan_decoder(model), short)
    stream = model.frames(request, tmp_path / "shot")
    with pytest.raises(DeviceOutOfMemory, match="from its first frame"):
        list(stream)
    assert sum(len(chunk) for chunk in model.frames(request, tmp_path / "shot")) == 17


def test_a_batch_that_does_not_fit_is_rendered_one_by_one(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    model = opened("wan.wan22_ti2v")
    requests = [a_take(), a_take("A blue boat sails.", seed=8)]
    alone = [filmed(model, one, tmp_path / "alone") for one in requests]
    kind = transformer_class()
    real = kind.forward  # type: ignore[attr-defined]

    def forward(self: Any, hidden_states: Any, *args: Any, **kwargs: Any) -> Any:
        if hidden_states.shape[0] > 1:
            raise torch.OutOfMemoryError(FULL_CARD)
        return real(self, hidden_states, *args, **kwargs)

    monkeypatch.setattr(kind, "forward", forward)
    paths = [tmp_path / "both-0", tmp_path / "both-1"]
    model.render_batch(requests, paths, QUIET)
    for request, path, wanted in zip(requests, paths, alone, strict=True):
        assert np.array_equal(np.concatenate(list(model.frames(request, path))), wanted)
        assert (recipe_of(path).fused, recipe_of(path).memory) == (1, ("one_by_one",))


def test_at_the_ladder_s_end_the_error_names_the_setting_that_would_fit(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    model = opened("wan.wan22_ti2v")
    failing(transformer_class(), lambda: True)
    with pytest.raises(GpuTooSmall) as raised:
        model.render(a_take(width=256, height=128), tmp_path / "shot", QUIET)
    assert raised.value.code == "gpu_oom"
    for words in (
        "256x128 does not fit",
        "STORYFORGE_VIDEO_WIDTH=180",
        "STORYFORGE_VIDEO_HEIGHT=90",
    ):
        assert words in raised.value.detail
    assert "STORYFORGE_VIDEO_SHRINK=true" in raised.value.detail
    assert not (tmp_path / "shot").exists()


def test_a_shot_is_rendered_smaller_only_where_its_owner_allows_it(
    opened: Opener, failing: Failing, tmp_path: Path
) -> None:
    model = opened("wan.wan22_ti2v", shrink=True)
    failing(transformer_class(), lambda: not model.studio().plan.has(Saving.HALF_SIZE))
    request = a_take(width=128, height=96)
    frames = filmed(model, request, tmp_path / "shot")
    recipe = recipe_of(tmp_path / "shot")
    assert frames.shape == (9, 96, 128, 3)
    assert recipe.width * recipe.height * 2 <= 128 * 96
    assert recipe.lossy == ("half_size",)


def test_an_error_that_is_not_of_memory_changes_no_plan(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened("wan.wan22_ti2v")

    def forward(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a shape is wrong")

    monkeypatch.setattr(transformer_class(), "forward", forward)
    with pytest.raises(RuntimeError, match="shape"):
        model.render(a_take(), tmp_path / "shot", QUIET)
    assert model.studio().plan.savings == ()
    gc.collect()
