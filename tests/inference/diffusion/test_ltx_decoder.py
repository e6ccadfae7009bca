"""The LTX decoder as a stream: every layout equals the whole, few frames at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import QUIET, a_take

LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "other widths": {"decoder_block_out_channels": (8, 16, 16, 16)},
    "timestep": {"timestep_conditioning": True},
    "residual": {
        "upsample_residual": (True, True, True, False),
        "upsample_factor": (2, 2, 2, 1),
        "decoder_block_out_channels": (16, 32, 64, 64),
    },
    "causal": {"decoder_causal": True},
}


def tiny_vae(**changes: Any) -> Any:
    import torch  # noqa: PLC0415 - only where it is installed
    from diffusers import AutoencoderKLLTXVideo  # noqa: PLC0415

    torch.manual_seed(0)
    values: dict[str, Any] = {
        "latent_channels": 16,
        "block_out_channels": (8, 8, 8, 8),
        "decoder_block_out_channels": (8, 8, 8, 8),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (2, 1, 2, 1, 1),
        "decoder_inject_noise": (False,) * 5,
    }
    vae: Any = AutoencoderKLLTXVideo(**(values | changes))
    return vae.eval()


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize("latent_frames", [1, 2, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_stream_equals_the_whole(layout: str, latent_frames: int) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.ltx_decoder import decode_chunks  # noqa: PLC0415

    vae = tiny_vae(**LAYOUTS[layout])
    latents = torch.randn(1, 16, latent_frames, 2, 3, generator=torch.Generator().manual_seed(1))
    timestep = torch.tensor([0.05]) if vae.config.timestep_conditioning else None
    with torch.no_grad():
        whole = vae.decode(latents, timestep, return_dict=False)[0]
        chunks = list(decode_chunks(vae.decoder, latents, timestep, torch.Generator()))
    streamed = torch.cat(chunks, dim=2)
    assert streamed.shape == whole.shape
    assert float((streamed - whole).abs().max()) < 1e-5
    assert max(chunk.shape[2] for chunk in chunks) <= 8


@pytest.mark.usefixtures("engines")
def test_the_first_frames_come_before_the_last_layers_have_seen_the_rest() -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.ltx_decoder import decode_chunks  # noqa: PLC0415

    vae, seen = tiny_vae(decoder_layers_per_block=(1, 1, 1, 1, 1)), []
    vae.decoder.conv_out.conv.register_forward_hook(
        lambda _module, _given, out: seen.append(out.shape[2])
    )
    with torch.no_grad():
        stream = decode_chunks(vae.decoder, torch.randn(1, 16, 12, 2, 2), None, torch.Generator())
        first = next(stream)
        assert sum(seen) == first.shape[2] <= 8
        rest = sum(chunk.shape[2] for chunk in stream)
    assert first.shape[2] + rest == sum(seen) == 89


@pytest.mark.usefixtures("engines")
def test_injected_noise_comes_from_the_clip_s_own_generator() -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.video.diffusion.ltx_decoder import decode_chunks  # noqa: PLC0415

    vae = tiny_vae(decoder_inject_noise=(True,) * 5)
    for name, scale in vae.decoder.named_parameters():
        if "per_channel_scale" in name:
            scale.data.fill_(0.5)
    latents = torch.randn(1, 16, 3, 2, 2)

    def decoded(seed: int) -> Any:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            return torch.cat(list(decode_chunks(vae.decoder, latents, None, generator)), dim=2)

    assert torch.equal(decoded(1), decoded(1))
    assert not torch.equal(decoded(1), decoded(2))


@pytest.mark.parametrize("name", ["ltx.ltx_t2v", "ltx.ltx_condition"])
def test_a_lean_decode_gives_the_same_film_but_for_rounding(
    name: str, opened: Opener, tmp_path: Path
) -> None:
    request = a_take(frames=17)
    whole, lean = opened(name), opened(name, lean_decode=True)
    whole.render(request, tmp_path / "clip", QUIET)
    frames = [np.concatenate(list(m.frames(request, tmp_path / "clip"))) for m in (whole, lean)]
    apart = np.abs(frames[0].astype(int) - frames[1].astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01


def test_a_clip_that_does_not_fit_as_a_whole_is_streamed(
    opened: Opener, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    model, request = opened("ltx.ltx_t2v"), a_take()
    model.render(request, result, QUIET)
    wanted = np.concatenate(list(model.frames(request, result))).astype(int)

    def no_room(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(model.studio().loaded().pipeline.vae, "decode", no_room)
    given = np.concatenate(list(model.frames(request, result))).astype(int)
    assert np.abs(given - wanted).max() <= 1
