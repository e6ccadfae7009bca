"""Chooses what is measured: a folder, a model of the local store, or one whose weights are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.bench.architectures import known_architectures, tiny_clip, write_architecture
from inference.video.diffusion.families import Family, family_of
from inference.video.diffusion.folder import read_folder
from models_cache.catalogue.read import Catalogue
from models_cache.catalogue.records import VideoEntry
from storyforge.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Size:
    """A clip's size in pixels and frames."""

    width: int
    height: int
    frames: int

    @staticmethod
    def parse(text: str) -> Size:
        """From `832x480x81`. Raises InvalidInput."""
        try:
            width, height, frames = (int(one) for one in text.lower().split("x"))
        except ValueError as exc:
            raise InvalidInput(
                f"'{text}' is no size; write width, height and frames as in 832x480x81."
            ) from exc
        if min(width, height, frames) < 1:
            raise InvalidInput(f"'{text}' is no size; every number must be at least 1.")
        return Size(width, height, frames)


@dataclass(frozen=True)
class Subject:
    """A model to measure at some sizes. random_weights: drawn, since they are not on this host."""

    name: str
    folder: Path
    sizes: tuple[Size, ...]
    fps: int
    steps: int
    guidance: float
    shift: float | None
    random_weights: bool


def choose_subject(
    spec: str,
    catalogue: Catalogue,
    open_model: Callable[[str], Path],
    scratch: Path,
    *,
    sizes: Sequence[Size] = (),
    steps: int | None = None,
    random_weights: bool = False,
) -> Subject:
    """What `spec` names: a folder, a model of the catalogue, `tiny-wan` or `tiny-ltx`.

    open_model: gives the verified folder of a model of the store; NotFound when it is not there, in
    which case its weights are drawn. scratch: where a folder without weights is written. sizes,
    steps: the model's usual ones when not given. Raises SetupProblem, InvalidInput and WeightsDamaged.
    """
    tiny = tiny_clip(spec)
    if tiny is not None:
        usual = Size(tiny.width, tiny.height, tiny.frames)
        folder = write_architecture(spec, scratch)
        family = family_of(read_folder(folder, weights=False))
        chosen = _legal(tuple(sizes) or (usual,), family, spec)
        settings = tiny.fps, steps or tiny.steps, tiny.guidance, family.shift
        return Subject(spec, folder, chosen, *settings, random_weights=True)
    if Path(spec).is_dir():
        return _of_folder(Path(spec), sizes, steps)
    entry = _entry(spec, catalogue)
    folder, drawn = _found(entry, open_model, scratch, random_weights=random_weights)
    family = family_of(read_folder(folder, weights=not drawn))
    usual = Size(*entry.sizes[0], entry.frames.usual)
    chosen = _legal(tuple(sizes) or (usual,), family, entry.name)
    settings = entry.fps, steps or entry.steps, entry.guidance, entry.shift
    return Subject(entry.name, folder, chosen, *settings, random_weights=drawn)


def _of_folder(folder: Path, sizes: Sequence[Size], steps: int | None) -> Subject:
    vetted = read_folder(folder)
    family = family_of(vetted)
    if not sizes:
        raise InvalidInput(
            f"'{vetted.name}' is a folder, whose usual size is not known; give one, "
            "as in --size 832x480x81."
        )
    return Subject(
        name=vetted.name,
        folder=vetted.path,
        sizes=_legal(sizes, family, vetted.name),
        fps=family.fps_min,
        steps=steps or family.steps,
        guidance=family.guidance,
        shift=family.shift,
        random_weights=False,
    )


def _entry(spec: str, catalogue: Catalogue) -> VideoEntry:
    try:
        entry = catalogue.find(spec)
    except (InvalidInput, NotFound) as exc:
        tiny = ", ".join(name for name in known_architectures() if tiny_clip(name))
        raise InvalidInput(
            f"'{spec}' is neither a folder, nor a model of the catalogue (`storyforge models "
            f"list`), nor one of {tiny}."
        ) from exc
    if not isinstance(entry, VideoEntry):
        raise InvalidInput(f"'{spec}' writes and does not film; name a video model.")
    return entry


def _found(
    entry: VideoEntry,
    open_model: Callable[[str], Path],
    scratch: Path,
    *,
    random_weights: bool,
) -> tuple[Path, bool]:
    """The model's folder, and whether its weights must be drawn."""
    if not random_weights:
        try:
            return open_model(entry.name), False
        except NotFound:
            pass  # not pulled: what it takes can be measured all the same
    return write_architecture(entry.name, scratch), True


def _legal(sizes: Sequence[Size], family: Family, name: str) -> tuple[Size, ...]:
    """The sizes, if the model renders exactly these. Raises InvalidInput naming a near one."""
    for size in sizes:
        grid, step = family.multiple, family.frame_step
        near = Size(
            max(1, round(size.width / grid)) * grid,
            max(1, round(size.height / grid)) * grid,
            max(0, round((size.frames - 1) / step)) * step + 1,
        )
        if near != size:
            raise InvalidInput(
                f"{name} films multiples of {grid} pixels and {step}k+1 frames; "
                f"{near.width}x{near.height}x{near.frames} would do."
            )
        if size.width * size.height > family.pixels_max or size.frames > family.frames_max:
            raise InvalidInput(
                f"{name} films at most {family.pixels_max} pixels and {family.frames_max} frames; "
                f"{size.width}x{size.height}x{size.frames} is more."
            )
    return tuple(dict.fromkeys(sizes))
