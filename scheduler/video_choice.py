"""Finds the video model that the settings name: a folder, or a model of the local store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models_cache.catalogue.read import Catalogue
from models_cache.catalogue.records import VideoEntry
from models_cache.locks import Pin
from storyforge.errors import InvalidInput, NotFound, SetupProblem


class OpenStore(Protocol):
    """What is needed of the model store."""

    def pin(self, name: str) -> Pin:
        """Keep the model from being evicted while this process lives."""
        ...

    def open(self, name: str) -> Path:
        """The verified folder."""
        ...


@dataclass(frozen=True)
class VideoChoice:
    """The folder to load, empty for the storyboard; None leaves a value to the model's family.

    name: as profiles call the model. entry: the catalogue's, for a model of the store.
    """

    folder: str = ""
    steps: int | None = None
    guidance: float | None = None
    shift: float | None = None
    name: str = ""
    entry: VideoEntry | None = None


def choose_video(
    spec: str, steps: int | None, catalogue: Catalogue, store: OpenStore
) -> VideoChoice:
    """Resolve STORYFORGE_VIDEO_MODEL; a catalogue model stays pinned until the process ends.

    steps: the operator's own number, which wins. Raises SetupProblem and WeightsDamaged.
    """
    if not spec or Path(spec).is_dir():
        return VideoChoice(spec, steps, name=Path(spec).name)
    try:
        entry = catalogue.find(spec)
    except (InvalidInput, NotFound) as exc:
        raise SetupProblem(
            f"STORYFORGE_VIDEO_MODEL is '{spec}', which is neither a folder nor a model of the "
            "catalogue; `storyforge models list` shows what there is."
        ) from exc
    if not isinstance(entry, VideoEntry):
        raise SetupProblem(f"STORYFORGE_VIDEO_MODEL is '{spec}', which writes and does not film.")
    try:
        store.pin(entry.name)
        folder = store.open(entry.name)
    except NotFound as exc:
        raise SetupProblem(
            f"The video model {entry.name} is not on this host; run "
            f"`storyforge models pull {entry.name}` first."
        ) from exc
    return VideoChoice(
        str(folder), steps or entry.steps, entry.guidance, entry.shift, entry.name, entry
    )
