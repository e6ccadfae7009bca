"""The attention backend is chosen by running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from storyforge.errors import SetupProblem
from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import QUIET, a_take

pytestmark = pytest.mark.usefixtures("engines")


def test_the_cpu_takes_torch_s_own() -> None:
    from inference.video.diffusion.attention import choose_attention  # noqa: PLC0415

    assert choose_attention("cpu").backend == "native"


def test_a_preset_s_backend_that_does_not_work_is_refused_with_its_reason() -> None:
    from inference.video.diffusion.attention import choose_attention  # noqa: PLC0415

    with pytest.raises(SetupProblem, match="'sage'"):
        choose_attention("cpu", lossy="sage")


def test_candidates_are_tried_in_order_and_those_refused_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from inference.video.diffusion import attention  # noqa: PLC0415

    tried: list[str] = []

    def probe(_device: str, _width: int, backend: str) -> None:
        tried.append(backend)
        if backend == "_native_cudnn":
            raise RuntimeError("no kernel for this card")

    monkeypatch.setattr(attention, "_probe", probe)
    choice = attention.choose_attention("cuda", kernel_dir=tmp_path)
    assert choice.backend == "native"
    assert [name for name, _ in choice.refused] == ["_flash_3_hub", "_native_cudnn"]
    assert tried == ["_native_cudnn", "native"]  # FA3: no kernel in the folder, so no probe


def test_a_backend_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models import attention_dispatch  # noqa: PLC0415

    from inference.video.diffusion import attention  # noqa: PLC0415

    real = attention_dispatch.dispatch_attention_fn

    def wrong(*given: Any, **named: Any) -> Any:
        return real(*given, **named) * 1.1

    attention._probe("cpu", 16, "native")
    monkeypatch.setattr(attention_dispatch, "dispatch_attention_fn", wrong)
    with pytest.raises(ValueError, match="wrong by"):
        attention._probe("cpu", 16, "native")


def test_compiling_is_regional_and_keeps_its_kernels_in_the_given_folder(
    opened: Opener, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os  # noqa: PLC0415

    from diffusers import WanTransformer3DModel  # noqa: PLC0415

    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415

    asked: list[dict[str, Any]] = []
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "elsewhere")
    monkeypatch.setattr(
        WanTransformer3DModel, "compile_repeated_blocks", lambda _self, **how: asked.append(how)
    )
    model = opened("wan.wan22_a14b_t2v", compile=True, cache_dir=tmp_path / "compiled")
    model.render(a_take(), result, QUIET)
    assert asked == [{"fullgraph": True}] * 2
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "compiled")
    assert read_recipe(result).compiled
