"""Tiny real models, opened for two steps on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from tests.inference.diffusion.takes import STEPS
from tests.tiny_models.fixtures import TinyModel

Opener: TypeAlias = Callable[..., DiffusionVideoModel]


@pytest.fixture
def opened(tiny_model: TinyModel) -> Opener:
    """Open a tiny model by its builder's name, with any other options."""

    def run(name: str, **options: Any) -> DiffusionVideoModel:
        return DiffusionVideoModel(tiny_model(name), ModelOptions(**({"steps": STEPS} | options)))

    return run


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Where a render goes."""
    return tmp_path / "shot.clip"
