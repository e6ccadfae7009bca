"""Opens the video model that a setting names."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions, PeakLookUp
from inference.video.model import VideoModel
from inference.video.storyboard.model import StoryboardModel
from storyforge.errors import SetupProblem

_CPU = "cpu"


def open_video_model(
    spec: str,
    device: str = _CPU,
    *,
    quality: str = "exact",
    steps: int | None = None,
    guidance: float | None = None,
    shift: float | None = None,
    cache_dir: Path | None = None,
    shrink: bool = False,
    known_peak: PeakLookUp | None = None,
) -> VideoModel:
    """The model for `spec`: empty for the storyboard renderer, else a model's folder.

    device: `cpu`, or the name of the card that this process is pinned to. quality: a preset's
    name. steps, guidance, shift: the family's own when None. cache_dir: where compiled kernels
    persist. shrink: whether a shot that does not fit may be rendered smaller. known_peak: the
    memory of a clip of (width, height, frames), where it is known. Torch is imported by the first
    render. Raises SetupProblem and WeightsDamaged.
    """
    if not spec:
        return StoryboardModel()
    if any(find_spec(name) is None for name in ("torch", "diffusers", "transformers")):
        raise SetupProblem(
            "STORYFORGE_VIDEO_MODEL names a diffusion model, which needs the models extra: "
            "pip install -c constraints.txt -e '.[models]'"
        )
    where = _CPU if device == _CPU else "cuda"
    options = ModelOptions(
        device=where,
        quality=quality,
        steps=steps,
        guidance=guidance,
        shift=shift,
        cache_dir=cache_dir,
        shrink=shrink,
    )
    if known_peak is not None:
        options = replace(options, known_peak=known_peak)
    return DiffusionVideoModel(Path(spec), options)
