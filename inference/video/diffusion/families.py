"""What each family of video models can do and wants: sizes, lengths, speed, steps, guidance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from inference.video.diffusion.folder import ModelFolder
from inference.video.diffusion.prompts import LTX_NEGATIVE_PROMPT, WAN_NEGATIVE_PROMPT
from storyforge.errors import SetupProblem


class Ability(StrEnum):
    """What a shot can start from, or end with."""

    TEXT = "t2v"
    FIRST_FRAME = "i2v"
    LAST_FRAME = "first_last"
    CONDITIONS = "condition"


class Engine(StrEnum):
    """Which adapter runs the family."""

    WAN = "wan"
    LTX = "ltx"


@dataclass(frozen=True)
class Family:
    """The facts about a family that planning and running need.

    multiple: of a legal width and height, in pixels. frame_step: legal frame counts are
    frame_step * k + 1. frames_max: the longest clip that it was trained on. pixels_max: its native
    area. fps_min, fps_max: frames per second that it films at. shift: the scheduler's flow shift,
    which is never taken from the folder; None keeps the family's own dynamic shift. guidance_2:
    of the second transformer. text_tokens: the length of the padded prompt, part of the training.
    negative_prompt: what guidance pushes away from, always.
    """

    name: str
    engine: Engine
    abilities: frozenset[Ability]
    multiple: int
    frame_step: int
    frames_max: int
    pixels_max: int
    fps_min: int
    fps_max: int
    steps: int
    guidance: float
    guidance_2: float | None
    shift: float | None
    text_tokens: int
    negative_prompt: str

    def can(self, ability: Ability) -> bool:
        """Whether the model has that ability."""
        return ability in self.abilities

    @property
    def starts_from_picture(self) -> bool:
        """Whether a take can start from a given picture."""
        return self.can(Ability.FIRST_FRAME) or self.can(Ability.LAST_FRAME)


_SMALL_PIXELS = 832 * 480  # the 480p size of Wan
_LARGE_PIXELS = 1280 * 720
_SMALL_HEADS = 12  # Wan 1.3B; 14B has 40 heads

# Sources: the models' own READMEs and cards, as of November 2026.
_WAN21_T2V = Family(
    name="Wan2.1 T2V",
    engine=Engine.WAN,
    abilities=frozenset({Ability.TEXT}),
    multiple=16,
    frame_step=4,
    frames_max=81,
    pixels_max=_LARGE_PIXELS,
    fps_min=16,
    fps_max=16,
    steps=50,
    guidance=5.0,
    guidance_2=None,
    shift=5.0,
    text_tokens=512,
    negative_prompt=WAN_NEGATIVE_PROMPT,
)
_WAN21_T2V_SMALL = replace(
    _WAN21_T2V, name="Wan2.1 T2V 1.3B", pixels_max=_SMALL_PIXELS, guidance=6.0, shift=8.0
)
_WAN21_I2V = replace(
    _WAN21_T2V, name="Wan2.1 I2V", abilities=frozenset({Ability.FIRST_FRAME}), shift=5.0
)
_WAN21_FLF = replace(
    _WAN21_T2V,
    name="Wan2.1 FLF2V",
    abilities=frozenset({Ability.LAST_FRAME}),
    guidance=5.5,
    shift=16.0,
)
_WAN22_T2V = replace(
    _WAN21_T2V, name="Wan2.2 T2V A14B", steps=40, guidance=4.0, guidance_2=3.0, shift=12.0
)
_WAN22_I2V = replace(
    _WAN22_T2V,
    name="Wan2.2 I2V A14B",
    abilities=frozenset({Ability.FIRST_FRAME, Ability.LAST_FRAME}),
    guidance=3.5,
    guidance_2=3.5,
    shift=5.0,
)
_WAN22_TI2V = replace(
    _WAN21_T2V,
    name="Wan2.2 TI2V 5B",
    abilities=frozenset({Ability.TEXT, Ability.FIRST_FRAME}),
    multiple=32,
    frames_max=121,
    pixels_max=1280 * 704,
    fps_min=24,
    fps_max=24,
)
_LTX_T2V = Family(
    name="LTX-Video",
    engine=Engine.LTX,
    abilities=frozenset({Ability.TEXT}),
    multiple=32,
    frame_step=8,
    frames_max=161,
    pixels_max=1216 * 704,
    fps_min=24,
    fps_max=30,
    steps=40,
    guidance=3.0,
    guidance_2=None,
    shift=None,
    text_tokens=128,
    negative_prompt=LTX_NEGATIVE_PROMPT,
)
_LTX_CONDITION = replace(
    _LTX_T2V,
    name="LTX-Video conditions",
    abilities=frozenset(
        {Ability.TEXT, Ability.FIRST_FRAME, Ability.LAST_FRAME, Ability.CONDITIONS}
    ),
    text_tokens=256,
)


def family_of(folder: ModelFolder) -> Family:
    """The family of a model folder, from its pipeline class and configuration.

    Raises SetupProblem for a class that no adapter knows.
    """
    choose = _CHOICES.get(folder.pipeline_class)
    if choose is None:
        raise SetupProblem(
            f"The video model '{folder.name}' is a {folder.pipeline_class or 'model of no class'}; "
            f"known are {', '.join(sorted(_CHOICES))}."
        )
    return choose(folder)


def _wan_text(folder: ModelFolder) -> Family:
    if folder.index.get("expand_timesteps"):
        return _with_grid(_WAN22_TI2V, folder)
    if folder.index.get("boundary_ratio") is not None:
        return _with_grid(_WAN22_T2V, folder)
    heads = int(folder.config("transformer").get("num_attention_heads", 40))
    return _with_grid(_WAN21_T2V_SMALL if heads <= _SMALL_HEADS else _WAN21_T2V, folder)


def _wan_image(folder: ModelFolder) -> Family:
    if folder.index.get("expand_timesteps"):
        return _with_grid(_WAN22_TI2V, folder)
    if folder.index.get("boundary_ratio") is not None:
        return _with_grid(_WAN22_I2V, folder)
    # Position embeddings over two pictures: first and last frame, and nothing else.
    two_pictures = folder.config("transformer").get("pos_embed_seq_len") is not None
    return _with_grid(_WAN21_FLF if two_pictures else _WAN21_I2V, folder)


def _with_grid(family: Family, folder: ModelFolder) -> Family:
    """The grid of legal sizes and lengths that this model's own VAE and patches give."""
    vae = folder.config("vae")
    patch = folder.config("transformer").get("patch_size", (1, 2, 2))
    return replace(
        family,
        multiple=int(vae.get("scale_factor_spatial", 8)) * int(patch[1]),
        frame_step=int(vae.get("scale_factor_temporal", 4)),
    )


_CHOICES: Mapping[str, Callable[[ModelFolder], Family]] = MappingProxyType(
    {
        "WanPipeline": _wan_text,
        "WanImageToVideoPipeline": _wan_image,
        "LTXPipeline": lambda _folder: _LTX_T2V,
        "LTXConditionPipeline": lambda _folder: _LTX_CONDITION,
    }
)
KNOWN_CLASSES = frozenset(_CHOICES)
