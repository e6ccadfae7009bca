"""Finds what an engine is started from: the model's folder, vLLM's own Python, the card's memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from inference.devices.nvml_reader import NvmlReader, load_nvml
from inference.language.agent.open_agent import served_name
from inference.language.engine.launch import CPU, EngineLaunch, Memory
from models_cache.catalogue.records import WriterEntry
from models_cache.store import ModelStore, model_store
from storyforge.cli.engine.plan import engine_home
from storyforge.errors import InvalidInput, NotFound, SetupProblem
from storyforge.settings import Settings

# Made by `make vllm` and `make vllm-cpu` beside the node's own environment.
_CUDA_VENV, _CPU_VENV = ".venv-vllm-cuda", ".venv-vllm"
_WEIGHTS_OVERHEAD = 1.2  # vLLM's recipes: least memory is the weights and a fifth of them


def launch_engine(settings: Settings, device: str, port: int) -> EngineLaunch:
    """How the engine on this device is started. Raises SetupProblem, WeightsDamaged.

    A catalogue model stays pinned until the process ends.
    """
    writer = settings.writer
    folder, entry = choose_writer(writer.model, model_store(settings))
    context = min(writer.context_tokens, entry.context_tokens if entry else writer.context_tokens)
    return EngineLaunch(
        python=find_python(settings, device),
        model_folder=folder,
        name=served_name(writer.model),
        port=port,
        context_tokens=context,
        home=engine_home(settings, device),
        device=device,
        key=writer.key,
        arguments=entry.engine_arguments if entry else (),
        memory=None if device == CPU else _memory(settings, device, folder, entry),
    )


def choose_writer(spec: str, store: ModelStore) -> tuple[Path, WriterEntry | None]:
    """The folder to serve, and its entry when the catalogue knows it. Raises SetupProblem."""
    if Path(spec).is_dir():
        return Path(spec).resolve(), None
    try:
        entry = store.catalogue.find(spec)
    except (InvalidInput, NotFound) as exc:
        raise SetupProblem(
            f"STORYFORGE_WRITER_MODEL is '{spec}', which is neither a folder nor a model of the "
            "catalogue; `storyforge models list` shows what there is."
        ) from exc
    if not isinstance(entry, WriterEntry):
        raise SetupProblem(f"STORYFORGE_WRITER_MODEL is '{spec}', which films and does not write.")
    try:
        store.pin(entry.name)
        return store.open(entry.name), entry
    except NotFound as exc:
        raise SetupProblem(
            f"The writer {entry.name} is not on this host; run "
            f"`storyforge models pull {entry.name}` first."
        ) from exc


def find_python(settings: Settings, device: str) -> Path:
    """The Python that has vLLM. Raises SetupProblem saying how to get one."""
    if settings.writer.python is not None:
        if os.access(settings.writer.python, os.X_OK):
            return settings.writer.python
        raise SetupProblem(
            f"STORYFORGE_WRITER_PYTHON is '{settings.writer.python}', which cannot be run."
        )
    beside = Path(sys.prefix).parent
    names = (_CPU_VENV,) if device == CPU else (_CUDA_VENV, _CPU_VENV)
    for name in names:
        python = beside / name / "bin" / "python"
        if python.exists():
            return python
    raise SetupProblem(
        f"vLLM is not installed: run `make vllm{'-cpu' if device == CPU else ''}`, or name the "
        "Python of an environment that has it with STORYFORGE_WRITER_PYTHON."
    )


def _memory(
    settings: Settings, device: str, folder: Path, entry: WriterEntry | None
) -> Memory | None:
    cards = NvmlReader(load_nvml()).inventory().devices
    total = next((card.total_bytes for card in cards if str(card.index) == device), 0)
    if not total:
        return None
    if entry is not None and entry.memory:
        weights = entry.memory[0].peak_bytes
    else:
        sizes = (path.stat().st_size for path in folder.glob("*.safetensors"))
        weights = int(sum(sizes) * _WEIGHTS_OVERHEAD)
    return Memory(total, weights, int(settings.writer.cache_gb * 10**9))
