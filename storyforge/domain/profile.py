"""The profile of a card: what it was measured to do.

`storyforge bench` writes one per card; `storyforge/domain/estimates.py` says what follows from it
for a job to come. No figure in it is a guess: what was not measured is None.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator

from storyforge.domain.wire import Wire

PROFILE_VERSION = 1
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bytes = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ClipShape(Wire):
    """What decides how long a clip takes on a card.

    model: the catalogue's name, or the folder's own name. width, height: pixels as rendered (not as
    shown). precision: of the transformer, `bf16` or `fp32`.
    """

    model: str
    width: Count
    height: Count
    frames: Count
    steps: Count
    precision: str = "bf16"

    @property
    def words(self) -> str:
        """For people."""
        size = f"{self.width}x{self.height}, {self.frames} frames"
        return f"{self.model}, {size}, {self.steps} steps, {self.precision}"


class StageFigures(Wire):
    """One stage of one clip. seconds: wall time of that stage alone.

    flops: counted, not estimated. tflop_per_s: of them. share_of_peak: of this card's own measured
    matrix peak in the stage's precision. peak_bytes: most device memory held at once, weights
    included.
    """

    seconds: NotNegative
    precision: str = ""
    flops: NotNegative | None = None
    tflop_per_s: NotNegative | None = None
    share_of_peak: NotNegative | None = None
    peak_bytes: Bytes | None = None


class ClipStages(Wire):
    """The four stages of a clip. The encoder runs beside the decode and the next clip's denoise."""

    text: StageFigures
    denoise: StageFigures
    decode: StageFigures
    encode: StageFigures


class FusedTiming(Wire):
    """Several clips denoised in shared forward passes. seconds_per_clip: denoising only."""

    clips: Count
    seconds_per_clip: Positive
    peak_bytes: Bytes | None = None


class BackToBack(Wire):
    """Jobs queued behind one another. gap_s: median from one denoise's end to the next one's start.

    busy_share: of the time from the first denoise's start to the last decode's end in which the
    device worked for a job.
    """

    jobs: Count
    seconds: Positive
    gap_s: NotNegative
    busy_share: Share
    video_seconds_per_hour: Positive


class NaiveFigures(Wire):
    """The same clip by plain diffusers, on the same card in the same run.

    how: what was run. seconds: per clip. ratio: its seconds by ours, per clip back to back.
    """

    how: str
    seconds: Positive
    ratio: Positive
    peak_bytes: Bytes | None = None


class ClipFigures(Wire):
    """One measured shape. fps: the model's own; attention_share: of the denoising's FLOPs.

    first_frames_s: from the decode's start to its first frames. fused: one entry for each number of
    clips that was tried, 1 among them. vae_alternatives: the decode in other precisions.
    """

    shape: ClipShape
    fps: Count
    stages: ClipStages
    peak_bytes: Bytes | None = None
    energy_joules: NotNegative | None = None
    attention_share: Share | None = None
    first_frames_s: NotNegative | None = None
    fused: tuple[FusedTiming, ...] = ()
    back_to_back: BackToBack | None = None
    naive: NaiveFigures | None = None
    vae_alternatives: tuple[StageFigures, ...] = ()

    @property
    def clip_seconds(self) -> float:
        """How long the clip plays."""
        return self.shape.frames / self.fps


class ModelFigures(Wire):
    """One model. frame_step: legal lengths are frame_step * k + 1.

    random_weights: its values were drawn, not trained, which changes no timing but shows no picture.
    savings: what was done to fit into memory; empty when all of it was on the card.
    """

    name: str
    weights_bytes: Bytes | None = None
    frame_step: Count = 4
    random_weights: bool = False
    load_s: NotNegative | None = None
    attention: str = ""
    compiled: bool = False
    savings: tuple[str, ...] = ()
    clips: tuple[ClipFigures, ...] = Field(min_length=1)


class MatrixPeak(Wire):
    """The best rate of a plain square matrix product that this card gave us."""

    precision: str
    tflop_per_s: Positive


class EncoderFigures(Wire):
    """Which encoder the node uses here. reason: in words. fps: on a drawn clip, at width x height."""

    name: Literal["nvenc", "x264"]
    reason: str
    width: Count
    height: Count
    fps: Positive


class SwitchFigures(Wire):
    """One card for two models: seconds to put the language model to sleep and to wake it."""

    sleep_s: NotNegative
    wake_s: NotNegative


class DeviceProfile(Wire):
    """Everything measured on one card in one run.

    device: its name, `cpu` without a card. uuid: empty without one. total_bytes: its memory.
    """

    version: int = PROFILE_VERSION
    device: str = Field(min_length=1)
    uuid: str = ""
    total_bytes: Bytes | None = None
    driver: str = ""
    torch: str
    diffusers: str
    storyforge: str = ""
    made_at: datetime
    matrix_peaks: tuple[MatrixPeak, ...] = ()
    encoder: EncoderFigures | None = None
    models: tuple[ModelFigures, ...] = ()
    switch: SwitchFigures | None = None
    notes: tuple[str, ...] = ()

    @field_validator("version")
    @classmethod
    def _known(cls, value: int) -> int:
        if value != PROFILE_VERSION:
            raise ValueError(f"version {value}; this node reads version {PROFILE_VERSION}")
        return value

    def model(self, name: str) -> ModelFigures | None:
        """The figures of a model; None when it was not measured."""
        return next((one for one in self.models if one.name == name), None)

    def exact(self, shape: ClipShape) -> ClipFigures | None:
        """The figures of exactly this shape; None when it was not measured."""
        found = self.model(shape.model)
        return next((one for one in found.clips if one.shape == shape), None) if found else None
