"""What the profile of a worker's device says of the jobs that it films: memory, fusing, speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.memory_ladder import MemoryPlan, Saving
from inference.video.memory_needs import KnownPeak
from inference.video.model import VideoModel
from models_cache.catalogue.records import VideoEntry
from storyforge.domain.estimates import best_fused, peak_bytes
from storyforge.domain.film_cost import FilmSetup
from storyforge.domain.film_shape import FilmShape
from storyforge.domain.profile import ClipShape, DeviceProfile
from storyforge.errors import RenderFailed, SetupProblem
from storyforge.profile_files import find_profile
from storyforge.settings import VideoSettings

_log = structlog.get_logger(__name__)
_ASSUMED_FRAMES = 81  # only the size of the clip is read of this


@dataclass(frozen=True)
class Pace:
    """One device and one model. model: as profiles call it; profile: None when none was made."""

    model: str
    video: VideoModel
    profile: DeviceProfile | None = None

    def fused(self, key: str) -> int:
        """How many shots of a film's shape share a forward pass here; 1 unless it was measured."""
        if not isinstance(self.video, DiffusionVideoModel):
            return 1
        try:
            shape = FilmShape.parse(key)
            clips = [self._clip(shape, frames) for frames in set(shape.frames)]
        except (ValueError, RenderFailed):
            return 1  # a key of another release, or a film that fails by itself
        return min(best_fused(self.profile, clip) for clip in clips)

    def info(self, settings: VideoSettings) -> Mapping[str, Any]:
        """For the worker's row: what it films with, and how fast that was measured to be."""
        if not isinstance(self.video, DiffusionVideoModel):
            return {}
        size = settings.width, settings.height
        clip = self.video.clip_for(size, settings.fps, _ASSUMED_FRAMES)
        setup = FilmSetup(
            model=self.model,
            width=clip.width,
            height=clip.height,
            fps=clip.fps,
            steps=self.video.family.steps,
            precision=self.video.precision,
        )
        return {"film": setup.to_json(), "profile": self._profile_of_model()}

    def _profile_of_model(self) -> Mapping[str, Any] | None:
        """The profile without the other models: it is written with every sign of life."""
        if self.profile is None:
            return None
        mine = tuple(one for one in self.profile.models if one.name == self.model)
        return self.profile.model_copy(update={"models": mine}).to_json()

    def _clip(self, shape: FilmShape, frames: int) -> ClipShape:
        assert isinstance(self.video, DiffusionVideoModel)
        clip = self.video.clip_for((shape.width, shape.height), shape.fps, frames)
        return ClipShape(
            model=self.model,
            width=clip.width,
            height=clip.height,
            frames=clip.frames,
            steps=self.video.family.steps,
            precision=self.video.precision,
        )


@dataclass(frozen=True)
class KnownPeaks:
    """Looks up what a clip needs of a card: the profile first, then the catalogue."""

    model: str
    profile: DeviceProfile | None
    entry: VideoEntry | None

    def __call__(self, width: int, height: int, frames: int) -> KnownPeak | None:
        """The peak for a clip in bf16, as cards run it; None when nobody knows."""
        shape = ClipShape(model=self.model, width=width, height=height, frames=frames, steps=1)
        measured = peak_bytes(self.profile, shape)
        if measured is not None:
            return KnownPeak(measured)
        entry = self.entry
        if entry is None:
            return None
        for known in entry.memory:
            if known.savings is not None and known.precision == "bf16":
                usual = math.prod(entry.sizes[0]) * entry.frames.usual
                plan = MemoryPlan(tuple(Saving(one) for one in known.savings))
                return KnownPeak(known.peak_bytes, plan, width * height * frames / usual)
        return None


def profile_of(folder: Path, device: str) -> DeviceProfile | None:
    """The profile of a card by its UUID or name; one that is damaged is said, and not used."""
    try:
        return find_profile(folder, device)
    except SetupProblem as exc:
        _log.warning("the card's profile is not used", reason=exc.detail)
        return None
