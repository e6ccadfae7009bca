"""Tiny real models, opened for two steps on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tests.inference.diffusion.takes import STEPS
from tests.tiny_models.fixtures import TinyModel

if TYPE_CHECKING:
    from inference.video.diffusion.model import DiffusionVideoModel

Opener: TypeAlias = "Callable[..., DiffusionVideoModel]"


@pytest.fixture
def opened(tiny_model: TinyModel) -> Opener:
    """Open a tiny model by its builder's name, with any other options."""
    from inference.video.diffusion.model import DiffusionVideoModel  # noqa: PLC0415 - needs torch
    from inference.video.diffusion.options import ModelOptions  # noqa: PLC0415

    def run(name: str, **options: Any) -> DiffusionVideoModel:
        return DiffusionVideoModel(tiny_model(name), ModelOptions(**({"steps": STEPS} | options)))

    return run


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Where a render goes."""
    return tmp_path / "shot.clip"
