"""Fixtures of tiny real diffusion models, saved once per session; torch is needed in CI."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

TinyModel: TypeAlias = Callable[[str], Path]
"""The folder of a tiny model by its builder's name, e.g. `wan.wan21_t2v`."""

_NEEDED = ("torch", "diffusers", "transformers", "accelerate")


@pytest.fixture(scope="session")
def engines() -> None:
    """Torch with one thread; skipped where the `models` extra is not installed, except in CI."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        message = f"needs {', '.join(missing)}: pip install -c constraints.txt -e '.[models]'"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    importlib.import_module("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(engines: None, tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Build, save and give the folder of a tiny model; each is built once."""
    root = tmp_path_factory.mktemp("tiny-models")

    def folder(name: str) -> Path:
        module, _, builder = name.partition(".")
        target = root / name.replace(".", "-").replace("_", "-")
        if not target.exists():
            pipeline = getattr(importlib.import_module(f"tests.tiny_models.{module}"), builder)()
            pipeline.save_pretrained(target)
        return target

    return folder
