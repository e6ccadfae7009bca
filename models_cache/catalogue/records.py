"""What the catalogue says of a model, checked when it is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from models_cache.names import COMMIT, model_name
from storyforge.domain.wire import Wire
from storyforge.errors import InvalidInput

BRANCH = "main"
Pipeline = Literal["WanPipeline", "WanImageToVideoPipeline", "LTXPipeline", "LTXConditionPipeline"]
Side = Annotated[int, Field(ge=16, le=8192)]


class Ability(StrEnum):
    """What a video model can be asked for."""

    TEXT = "t2v"
    FIRST_FRAME = "i2v"
    LAST_FRAME = "first_last"
    CONTINUATION = "continuation"
    REFERENCE = "reference"
    AUDIO = "audio"


class Record(Wire):
    """A frozen record of the catalogue; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid")


class FrameRule(Record):
    """Legal clip lengths: step * k + offset frames. usual: what it was trained on, and longest."""

    step: int = Field(ge=1)
    offset: int = Field(ge=0)
    usual: int = Field(ge=1)

    def is_legal(self, frames: int) -> bool:
        """Whether the model renders exactly that many frames."""
        return frames >= self.offset and (frames - self.offset) % self.step == 0

    @model_validator(mode="after")
    def _usual_is_legal(self) -> Self:
        if not self.is_legal(self.usual):
            raise ValueError(f"{self.usual} is not {self.step}k+{self.offset}")
        return self


class PeakMemory(Record):
    """A known need of card memory. placement: what was offloaded; source: who measured it.

    savings: the same as savings of our own memory plans, at the model's first size and usual
    length; None where the source does not say it that exactly.
    """

    precision: str
    placement: str
    peak_bytes: int = Field(gt=0)
    source: str = Field(min_length=1)
    savings: tuple[str, ...] | None = None


class ModelEntry(Record):
    """What every entry has.

    revision: a commit of 40 hex digits, or `main` when no commit is known, in which case the pull
    records the one it got. download_bytes: about; the pull asks the hub for the exact number.
    skip: patterns of files of the repository that are not needed.
    """

    name: str
    repo: str
    revision: str
    revision_source: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    licence_limits: str
    gated: bool = False
    download_bytes: int = Field(gt=0)
    download_source: str = Field(min_length=1)
    skip: tuple[str, ...] = ()
    memory: tuple[PeakMemory, ...] = ()

    @property
    def is_pinned(self) -> bool:
        """Whether the entry names one immutable commit."""
        return COMMIT.fullmatch(self.revision) is not None

    @field_validator("name", "repo")
    @classmethod
    def _legal_name(cls, value: str) -> str:
        try:
            return model_name(value)
        except InvalidInput as exc:
            raise ValueError(exc.detail) from exc

    @field_validator("revision")
    @classmethod
    def _commit_or_main(cls, value: str) -> str:
        if value != BRANCH and COMMIT.fullmatch(value) is None:
            raise ValueError("neither a commit of 40 hex digits nor `main`")
        return value


class VideoEntry(ModelEntry):
    """A video model in the diffusers format.

    sizes: (width, height) in pixels that it was trained on; any multiple of `size_multiple` up to
    their area is legal. fps: its own frames per second. guidance_2: of the second expert. shift:
    the scheduler's flow shift; None keeps the repository's dynamic one. distilled: few steps, and
    no guidance.
    """

    kind: Literal["video"] = "video"
    pipeline: Pipeline
    abilities: tuple[Ability, ...] = Field(min_length=1)
    fps: int = Field(ge=1, le=120)
    sizes: tuple[tuple[Side, Side], ...] = Field(min_length=1)
    size_multiple: int = Field(ge=1)
    frames: FrameRule
    steps: int = Field(ge=1, le=200)
    guidance: float = Field(ge=0)
    guidance_2: float | None = None
    shift: float | None = None
    distilled: bool = False

    @model_validator(mode="after")
    def _sizes_are_legal(self) -> Self:
        for size in self.sizes:
            if any(side % self.size_multiple for side in size):
                raise ValueError(f"{size} is no multiple of {self.size_multiple}")
        return self


class WriterEntry(ModelEntry):
    """A language model that vLLM serves. engine_arguments: what `vllm serve` needs besides."""

    kind: Literal["writer"] = "writer"
    engine: Literal["vllm"]
    context_tokens: int = Field(ge=1024)
    engine_arguments: tuple[str, ...] = ()


Entry = Annotated[VideoEntry | WriterEntry, Field(discriminator="kind")]


class Pair(Record):
    """The default models of one card size.

    card_gb: decimal gigabytes of card memory that it needs. opening: films the first shot of a
    scene when the video model cannot start from text. together: both models fit on the card at
    once; otherwise they take turns. placement: how the video model fits, in words.
    """

    card_gb: int = Field(ge=1)
    video: str
    opening: str = ""
    writer: str
    together: bool
    placement: str
    reason: str
