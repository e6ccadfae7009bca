"""Reads a local model folder without loading it, and refuses what could run foreign code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storyforge.domain.wire import content_hash
from storyforge.errors import SetupProblem, WeightsDamaged

INDEX = "model_index.json"
_LIBRARIES = frozenset({"diffusers", "transformers"})
# Formats that run code when they are read, and code itself.
_UNSAFE_SUFFIXES = frozenset(
    {".bin", ".ckpt", ".dll", ".dylib", ".h5", ".joblib", ".msgpack", ".npy", ".npz", ".onnx"}
    | {".pickle", ".pkl", ".pt", ".pt2", ".pth", ".py", ".pyc", ".so"}
)
_CODE_KEYS = frozenset({"auto_map", "custom_pipelines", "trust_remote_code"})
_WEIGHTS = ".safetensors"
_SHARDS = ".safetensors.index.json"
# Header and tail of each weight file: its layout and some of its values, without reading it all.
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True)
class ModelFolder:
    """A vetted model folder.

    configs: the `config.json` of each component, by its name. fingerprint: hash over all
    configurations and a sample of each weight file.
    """

    path: Path
    pipeline_class: str
    index: Mapping[str, Any]
    configs: Mapping[str, Mapping[str, Any]]
    fingerprint: str

    @property
    def name(self) -> str:
        """The folder's own name; no path of this host."""
        return self.path.name

    def config(self, component: str) -> Mapping[str, Any]:
        """The configuration of a component; empty when the model has none of that name."""
        return self.configs.get(component, {})

    def has(self, component: str) -> bool:
        """Whether the model has that component."""
        return component in self.configs


def read_folder(path: Path, *, weights: bool = True) -> ModelFolder:
    """Vet a model folder as diffusers saves it. weights: whether it must hold any.

    Only safetensors and JSON are trusted: pickles, Python files, `auto_map` and classes from
    other libraries are refused. Raises SetupProblem, or WeightsDamaged for a cut-off file.
    """
    path = path.resolve()
    if not path.is_dir():
        raise SetupProblem(
            f"The video model '{path.name}' is not a folder on this host; set "
            "STORYFORGE_VIDEO_MODEL to a model's folder, or leave it empty."
        )
    index = _json(path / INDEX, path.name)
    _refuse_unsafe_files(path)
    _refuse_foreign_code(path)
    components = _components(index, path.name)
    configs = {name: _config_of(path / name, path.name) for name in components}
    files = sorted(path.rglob(f"*{_WEIGHTS}"))
    if weights and not files:
        raise SetupProblem(f"The video model '{path.name}' holds no .safetensors weights.")
    samples = [[str(file.relative_to(path)), _sample(file, path.name)] for file in files]
    return ModelFolder(
        path=path,
        pipeline_class=str(index.get("_class_name", "")),
        index=index,
        configs=configs,
        fingerprint=content_hash([dict(index), configs, samples]),
    )


def _refuse_unsafe_files(path: Path) -> None:
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in _UNSAFE_SUFFIXES:
            raise SetupProblem(
                f"The video model '{path.name}' holds '{file.relative_to(path)}', a format that "
                "can run code; only .safetensors weights are loaded. Remove the file or take "
                "the model's safetensors edition."
            )


def _refuse_foreign_code(path: Path) -> None:
    for file in sorted(path.rglob("*.json")):
        relative = file.relative_to(path)
        if file.name.endswith(_SHARDS):
            _check_shards(file, path.name)
        elif len(relative.parts) <= 2 and "config" in f"{file.name}{INDEX}":  # noqa: PLR2004 - depth
            found = _CODE_KEYS & set(_json(file, path.name))
            if found:
                raise SetupProblem(
                    f"The video model '{path.name}' asks for code of its own "
                    f"('{min(found)}' in {relative}); only models of known classes are loaded."
                )


def _check_shards(file: Path, name: str) -> None:
    shards = _json(file, name).get("weight_map", {})
    for shard in set(shards.values()) if isinstance(shards, dict) else ():
        if not str(shard).endswith(_WEIGHTS) or Path(str(shard)).name != shard:
            raise SetupProblem(f"The video model '{name}' names a shard outside its own folder.")
        if not (file.parent / shard).is_file():
            raise WeightsDamaged(f"The video model '{name}' lacks '{shard}'; pull it again.")


def _components(index: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = []
    for component, entry in index.items():
        if not isinstance(entry, list) or component.startswith("_"):
            continue
        library = entry[0] if entry else None
        if library is None:
            continue  # an optional component that this model goes without
        if library not in _LIBRARIES:
            raise SetupProblem(
                f"The video model '{name}' takes its '{component}' from '{library}'; only "
                "diffusers and transformers classes are loaded."
            )
        if Path(component).name != component:
            raise SetupProblem(f"The video model '{name}' names a component outside its folder.")
        found.append(component)
    return tuple(found)


def _config_of(component: Path, name: str) -> dict[str, Any]:
    file = component / "config.json"
    return _json(file, name) if file.is_file() else {}


def _json(file: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise SetupProblem(
            f"The video model '{name}' has no {file.name}; is it in the diffusers format?"
        ) from exc
    except (OSError, ValueError) as exc:
        raise WeightsDamaged(
            f"The video model '{name}' has an unreadable {file.name}; pull it again."
        ) from exc
    if not isinstance(value, dict):
        raise WeightsDamaged(f"The video model '{name}' has an odd {file.name}; pull it again.")
    return value


def _sample(file: Path, name: str) -> str:
    """Hash of the header and the tail; the header must fit the file's size."""
    size_bytes = file.stat().st_size
    with file.open("rb") as opened:
        header_bytes = int.from_bytes(opened.read(8), "little")
        if size_bytes < 8 + header_bytes:
            raise WeightsDamaged(f"The video model '{name}' has a cut-off '{file.name}'.")
        digest = hashlib.sha256(opened.read(min(header_bytes, 1 << 24)))
        opened.seek(max(0, size_bytes - _SAMPLE_BYTES))
        digest.update(opened.read())
    return f"{size_bytes}:{digest.hexdigest()}"
