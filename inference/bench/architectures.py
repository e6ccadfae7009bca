"""Writes the folder of a model that has no weights: its configurations, as if it had been pulled."""

from __future__ import annotations

import json
import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from inference.video.diffusion.folder import INDEX
from storyforge.domain.wire import Wire
from storyforge.errors import SetupProblem

_FILE = Path(__file__).with_name("architectures.toml")
_TOKENIZER = "PreTrainedTokenizerFast"
_TOKENS_MAX = 512


class TinyClip(Wire):
    """The usual clip of a model that is not in the catalogue."""

    width: int
    height: int
    frames: int
    fps: int
    steps: int
    guidance: float


class _Component(Wire):
    """A class with its configuration. latents: channels whose means and deviations it wants."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(alias="class")
    config: dict[str, Any]
    latents: int = 0

    @property
    def library(self) -> str:
        return "transformers" if "model_type" in self.config else "diffusers"

    def written(self) -> dict[str, Any]:
        """Its config.json."""
        config = {"_class_name": self.name, **self.config}
        if self.latents:
            config |= {
                "latents_mean": [0.0] * self.latents,
                "latents_std": [1.0] * self.latents,
            }
        return config


class _Model(Wire):
    """A pipeline class with its components by slot."""

    model_config = ConfigDict(extra="forbid")

    pipeline: str
    slots: dict[str, str]
    flags: dict[str, Any] = Field(default_factory=dict)
    clip: TinyClip | None = None


def known_architectures() -> tuple[str, ...]:
    """The models whose weights can be drawn."""
    return tuple(_read()[1])


def tiny_clip(name: str) -> TinyClip | None:
    """What a tiny model films; None for one that the catalogue describes."""
    model = _read()[1].get(name)
    return model.clip if model is not None else None


def write_architecture(name: str, into: Path) -> Path:
    """Write the folder `into`/`name`: configurations and a tokenizer, no weights.

    Raises SetupProblem for a model whose configuration is not known here.
    """
    components, models = _read()
    model = models.get(name)
    if model is None:
        raise SetupProblem(
            f"The configuration of '{name}' is not known here, so that its weights cannot be "
            f"drawn; pull it, or measure one of {', '.join(models)}."
        )
    folder = into / name
    index: dict[str, Any] = {"_class_name": model.pipeline, **model.flags}
    for slot, key in model.slots.items():
        component = components[key]
        index[slot] = [component.library, component.name]
        file = "scheduler_config.json" if slot == "scheduler" else "config.json"
        _write(folder / slot / file, component.written())
    index["tokenizer"] = ["transformers", _TOKENIZER]
    _write_tokenizer(folder / "tokenizer", components[model.slots["text_encoder"]])
    _write(folder / INDEX, index)
    return folder


@cache
def _read() -> tuple[Mapping[str, _Component], Mapping[str, _Model]]:
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    components = {key: _Component.model_validate(one) for key, one in data["component"].items()}
    models = {key: _Model.model_validate(one) for key, one in data["model"].items()}
    return components, models


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _write_tokenizer(folder: Path, encoder: _Component) -> None:
    """A tokenizer of single letters: prompts are padded to one length, whatever the words are."""
    letters = ["▁", *string.ascii_letters, *string.digits, *string.punctuation]
    pieces = ["<pad>", "</s>", "<unk>", *letters]
    assert len(pieces) <= int(encoder.config["vocab_size"])
    score = 0.0
    _write(
        folder / "tokenizer.json",
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": {"type": "NFKC"},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
            "post_processor": None,
            "decoder": None,
            "model": {
                "type": "Unigram",
                "unk_id": pieces.index("<unk>"),
                "vocab": [[piece, score] for piece in pieces],
                "byte_fallback": False,
            },
        },
    )
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": _TOKENIZER,
            "model_max_length": _TOKENS_MAX,
            "pad_token": "<pad>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
        },
    )
