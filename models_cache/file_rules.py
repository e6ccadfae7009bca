"""Which files of a repository are pulled, and which refuse the whole model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from models_cache.catalogue.records import VideoEntry, WriterEntry
from models_cache.names import is_plain_path
from storyforge.errors import ModelRefused

INDEX = "model_index.json"
_WEIGHTS = ".safetensors"
_SHARDS = ".safetensors.index.json"
_WANTED = frozenset({".safetensors", ".json", ".txt", ".model", ".spm", ".jinja"})
# Formats that run code when they are read, and code itself.
_UNSAFE_NAMES = (
    ".bin .ckpt .dll .dylib .h5 .joblib .msgpack .npy .npz .onnx .pickle .pkl .pt .pt2 .pth .py "
    ".pyc .so"
)
_UNSAFE = frozenset(_UNSAFE_NAMES.split())
_LICENCES = frozenset({"license", "licence", "notice"})
_LIBRARIES = frozenset({"diffusers", "transformers"})
# Keys by which a configuration names code of its own (guarantee S14).
_CODE_KEYS = frozenset(
    {
        "auto_map",
        "custom_pipeline",
        "custom_pipelines",
        "_attn_implementation_internal",
        "trust_remote_code",
    }
)
_JSON_MAX_BYTES = 128_000_000  # the largest tokenizer.json in use has about 35 MB
_DEPTH_MAX = 64


def components(index: Mapping[str, Any], entry: VideoEntry) -> frozenset[str]:
    """The folders that a diffusers model index names.

    Raises ModelRefused for another pipeline class than the catalogue's, or foreign libraries.
    """
    if index.get("_class_name") != entry.pipeline:
        raise ModelRefused(
            f"{entry.name}: {INDEX} asks for {str(index.get('_class_name'))[:80]!r}, but the "
            f"catalogue says {entry.pipeline}; it was refused."
        )
    found = set()
    for name, value in index.items():
        if name.startswith("_") or not isinstance(value, list) or value in ([], [None, None]):
            continue
        if value[0] not in _LIBRARIES or not all(isinstance(part, str) for part in value):
            raise ModelRefused(
                f"{entry.name}: {INDEX} takes '{name}' from {str(value[0])[:80]!r}; only diffusers "
                "and transformers classes are loaded, so it was refused."
            )
        if "/" in name or not is_plain_path(name):
            raise ModelRefused(f"{entry.name}: {INDEX} names a folder outside the model.")
        found.add(name)
    return frozenset(found)


def choose_files(
    entry: VideoEntry | WriterEntry, paths: Iterable[str], folders: frozenset[str]
) -> Sequence[str]:
    """The paths to pull, of all that the repository has.

    folders: what a loader would look into, besides the top. Files elsewhere are never pulled, so
    they are not judged. Raises ModelRefused naming the file that could run code, or that has a
    path which is not plain.
    """
    chosen = []
    for path in sorted(paths):
        parts = PurePosixPath(path).parts
        top_level = len(parts) == 1
        if not top_level and parts[0] not in folders:
            continue
        suffix = PurePosixPath(path).suffix.lower()
        if suffix in _UNSAFE:
            raise ModelRefused(
                f"{entry.name}: the repository holds '{path}', a format that can run code; only "
                "safetensors models are taken. Nothing of it was kept."
            )
        if not _is_wanted(entry, path, suffix, top_level=top_level):
            continue
        if not is_plain_path(path):
            shown = path[:200].encode("ascii", "backslashreplace").decode()
            raise ModelRefused(f"{entry.name}: the repository holds the odd path {shown!r}.")
        chosen.append(path)
    if not any(path.endswith(_WEIGHTS) for path in chosen):
        raise ModelRefused(f"{entry.name}: the repository has no safetensors weights.")
    _refuse_twins(entry.name, chosen)
    return chosen


def is_text(path: str) -> bool:
    """Whether the file is small and is looked into before any weights are pulled."""
    return not path.endswith(_WEIGHTS)


def check_json(name: str, folder: Path, path: str, all_paths: Sequence[str]) -> Any:
    """Read a pulled JSON file and refuse what would make a loader run foreign code.

    Gives the value. all_paths: the model's files, in which shards must be. Raises ModelRefused
    naming the file.
    """
    file = folder / path
    if file.stat().st_size > _JSON_MAX_BYTES:
        raise ModelRefused(f"{name}: '{path}' is too long for a configuration; refused.")
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise ModelRefused(f"{name}: '{path}' is no JSON that can be read; refused.") from exc
    key = _code_key(value, 0)
    if key:
        raise ModelRefused(
            f"{name}: '{path}' asks for code of its own ('{key}'); only models of known classes "
            "are taken."
        )
    if path.endswith(_SHARDS):
        _check_shards(name, path, value, frozenset(all_paths))
    return value


def _is_wanted(entry: VideoEntry | WriterEntry, path: str, suffix: str, *, top_level: bool) -> bool:
    if any(fnmatchcase(path, pattern) for pattern in entry.skip):
        return False
    pure = PurePosixPath(path)
    if top_level and pure.name.split(".")[0].lower() in _LICENCES:
        return suffix in {"", ".txt", ".md"}
    if isinstance(entry, VideoEntry) and top_level:
        return path == INDEX  # single-file editions of the weights lie beside it
    return suffix in _WANTED


def _refuse_twins(name: str, paths: Sequence[str]) -> None:
    """Two paths that differ in case only would be one file on some file systems."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise ModelRefused(f"{name}: '{other}' and '{path}' differ in case only; refused.")


def _code_key(value: Any, depth: int) -> str:
    """The first key that asks for code, at any depth; a token of that name (a number) does not."""
    if depth > _DEPTH_MAX:
        return "nested too deep"
    if isinstance(value, list):
        return next((key for one in value if (key := _code_key(one, depth + 1))), "")
    if not isinstance(value, dict):
        return ""
    for key, inner in value.items():
        asks = inner is not None and (type(inner) is bool or not isinstance(inner, int | float))
        if key in _CODE_KEYS and asks and inner is not False:
            return str(key)
        found = _code_key(inner, depth + 1)
        if found:
            return found
    return ""


def _check_shards(name: str, path: str, value: Any, all_paths: frozenset[str]) -> None:
    shards = value.get("weight_map") if isinstance(value, dict) else None
    if not isinstance(shards, dict):
        raise ModelRefused(f"{name}: '{path}' has no weight map; refused.")
    for shard in sorted({str(one) for one in shards.values()}):
        beside = str(PurePosixPath(path).parent / shard)
        if "/" in shard or not shard.endswith(_WEIGHTS) or beside not in all_paths:
            raise ModelRefused(
                f"{name}: '{path}' names the shard {shard[:80]!r}, which is not beside it; refused."
            )
