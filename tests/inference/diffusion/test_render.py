"""Renders on tiny real models: recipes, seeds, cancelling, batches, pictures, damaged files."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import numpy as np
import pytest

from storyforge.errors import QualityRefused, RenderFailed, SetupProblem
from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import EVERY_MODEL, QUIET, STEPS, a_take, filmed


class Cancelled(Exception):
    """The watch wants no more."""


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_every_layout_films_a_shot_of_the_wanted_size_and_length(
    name: str, opened: Opener, result: Path
) -> None:
    steps: list[tuple[int, int]] = []
    model, request = opened(name), a_take(width=80, height=48, frames=7)
    model.render(request, result, lambda done, total: steps.append((done, total)))
    chunks = list(model.frames(request, result))
    assert steps == [(1, STEPS), (2, STEPS)]
    assert {(chunk.dtype.name, chunk.shape[1:]) for chunk in chunks} == {("uint8", (48, 80, 3))}
    assert sum(len(chunk) for chunk in chunks) == 7
    assert np.concatenate(chunks).std() > 0


def test_the_recipe_says_everything_that_made_the_clip(opened: Opener, result: Path) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    model = opened("wan.wan22_a14b_t2v")
    model.render(a_take(fps=24, frames=12), result, QUIET)
    recipe = read_recipe(result)
    told = recipe.model_dump(exclude={"prompt", "negative_prompt", "diffusers", "torch", "decode"})
    assert told == {
        "model": model.name,
        "family": "Wan2.2 T2V A14B",
        "steps": STEPS,
        "guidance": 4.0,
        "guidance_2": 3.0,
        "shift": 12.0,
        "seed": 7,
        "width": 64,
        "height": 64,
        "frames": 9,
        "fps": 16,
        "shown_width": 64,
        "shown_height": 64,
        "shown_frames": 12,
        "shown_fps": 24,
        "stretched": False,
        "first_frame": "none",
        "first_frame_sha256": "",
        "last_frame": "none",
        "device": "cpu",
        "precision": "fp32",
        "vae_precision": "fp32",
        "attention": "native",
        "compiled": False,
        "quality": "exact",
        "lossy": (),
        "memory": (),
        "fused": 1,
    }
    assert recipe.prompt.startswith("A red fox waits.")
    assert "worst quality" in recipe.negative_prompt
    assert stat.S_IMODE(result.stat().st_mode) & stat.S_IRGRP  # other users of the host may read


def test_the_flow_shift_is_ours_and_not_the_folder_s(opened: Opener, result: Path) -> None:
    model = opened("wan.wan21_t2v")
    model.render(a_take(), result, QUIET)
    assert (
        model.studio().loaded().pipeline.scheduler.config.flow_shift == 8.0
    )  # the folder says 3.0


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "ltx.ltx_condition"])
def test_a_seed_reproduces_its_film_and_another_seed_does_not(
    name: str, opened: Opener, tmp_path: Path
) -> None:
    first = filmed(opened(name), a_take(), tmp_path / "a")
    again = filmed(opened(name), a_take(), tmp_path / "b")
    other = filmed(opened(name), a_take(seed=8), tmp_path / "c")
    assert np.array_equal(first, again)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert not np.array_equal(first, other)


def test_the_negative_prompt_pushes_the_picture(
    opened: Opener, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it = filmed(opened("wan.wan22_ti2v"), a_take(), result)
    without = filmed(opened("wan.wan22_ti2v", guidance=1.0), a_take(), result)
    assert not np.array_equal(with_it, without)


def test_prompts_are_encoded_once(opened: Opener, result: Path) -> None:
    model = opened("wan.wan22_ti2v")
    model.render(a_take(), result, QUIET)
    calls: list[int] = []
    encoder = model.studio().loaded().pipeline.text_encoder
    encoder.register_forward_hook(lambda *_: calls.append(1))
    model.render(a_take(seed=8), result, QUIET)
    assert calls == []
    model.render(a_take("A blue boat."), result, QUIET)
    assert calls == [1]


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "ltx.ltx_t2v"])
def test_a_cancelled_render_stops_within_one_step_and_leaves_the_model_as_it_was(
    name: str, opened: Opener, tmp_path: Path
) -> None:
    model, seen = opened(name), []
    before = filmed(model, a_take(), tmp_path / "before")

    def stop(done: int, _total: int) -> None:
        seen.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        model.render(a_take(seed=99), tmp_path / "never", stop)
    assert seen == [1]
    assert not (tmp_path / "never").exists()
    assert np.array_equal(filmed(model, a_take(), tmp_path / "after"), before)


@pytest.mark.parametrize("name", ["wan.wan21_t2v", "wan.wan22_ti2v", "ltx.ltx_condition"])
def test_a_batch_equals_its_shots_one_by_one(name: str, opened: Opener, tmp_path: Path) -> None:
    from inference.video.diffusion.saved_clip import load_clip  # noqa: PLC0415 - needs torch

    model = opened(name)
    requests = [a_take(), a_take("A blue boat sails.", seed=8)]
    together = [tmp_path / "both-0", tmp_path / "both-1"]
    model.render_batch(requests, together, QUIET)
    for request, path in zip(requests, together, strict=True):
        model.render(request, tmp_path / "alone", QUIET)
        alone, fused = load_clip(tmp_path / "alone"), load_clip(path)
        assert float((alone.latents - fused.latents).abs().max()) <= 1e-5
        assert (alone.recipe.fused, fused.recipe.fused) == (1, 2)
        assert fused.recipe.seed == request.seed
        apart = np.concatenate(list(model.frames(request, path))).astype(int)
        assert (
            abs(apart - np.concatenate(list(model.frames(request, tmp_path / "alone")))).max() <= 1
        )


def test_shots_of_two_sizes_are_not_fused(opened: Opener, tmp_path: Path) -> None:
    model = opened("wan.wan22_ti2v")
    requests = [a_take(), a_take(width=128)]
    assert not model.can_fuse(requests)
    with pytest.raises(RenderFailed):
        model.render_batch(requests, [tmp_path / "a", tmp_path / "b"], QUIET)


def test_latents_that_are_no_numbers_are_refused(opened: Opener, result: Path) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    model = opened("wan.wan22_ti2v")
    with torch.no_grad():
        model.studio().loaded().pipeline.transformer.proj_out.bias.fill_(float("nan"))
    with pytest.raises(QualityRefused, match="no numbers"):
        model.render(a_take(), result, QUIET)
    assert not result.exists()


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 40])
def test_a_damaged_result_is_refused(damage: bytes, opened: Opener, result: Path) -> None:
    result.write_bytes(damage)
    with pytest.raises(RenderFailed, match="render it again"):
        next(opened("wan.wan22_ti2v").frames(a_take(), result))


def test_the_name_changes_with_what_changes_the_picture(opened: Opener) -> None:
    names = {
        opened("wan.wan22_ti2v", **options).name
        for options in (
            {},
            {"steps": 3},
            {"guidance": 2.0},
            {"quality": "cached"},
            {"pixels_max": 9999},
        )
    }
    assert len(names) == 5
    assert opened("wan.wan22_ti2v").name == opened("wan.wan22_ti2v").name


@pytest.mark.parametrize("quality", ["cached", "small"])
def test_a_lossy_preset_runs_and_is_written_into_the_recipe(
    quality: str, opened: Opener, tmp_path: Path
) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    model = opened("wan.wan21_t2v", quality=quality)
    first = filmed(model, a_take(), tmp_path / "a")
    again = filmed(model, a_take(), tmp_path / "b")
    recipe = read_recipe(tmp_path / "a")
    assert recipe.quality == quality
    assert recipe.lossy
    assert np.array_equal(first, again)  # no state leaks from one take into the next


def test_an_unknown_preset_is_refused_and_the_known_ones_are_named(opened: Opener) -> None:
    with pytest.raises(SetupProblem, match="exact, cached"):
        opened("wan.wan21_t2v", quality="best")


def test_loading_and_rendering_reach_for_no_network(
    opened: Opener, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(filmed(opened("ltx.ltx_t2v"), a_take(), result)) == 9


def test_a_model_that_was_closed_loads_again(opened: Opener, result: Path) -> None:
    model = opened("wan.wan22_ti2v")
    before = filmed(model, a_take(), result)
    model.close()
    assert model.studio()._resident._loaded is None
    assert np.array_equal(filmed(model, a_take(), result), before)


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "wan.wan21_flf"])
def test_a_warm_up_runs_the_sizes_that_are_named(name: str, opened: Opener, result: Path) -> None:
    model = opened(name)
    model.warm_up([(64, 64, 5), (96, 64, 5)])
    assert len(filmed(model, a_take(), result)) == 9


def test_the_metadata_is_json_that_any_reader_understands(opened: Opener, result: Path) -> None:
    opened("wan.wan22_ti2v").render(a_take(), result, QUIET)
    content = result.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["recipe"])["shownFrames"] == 9
