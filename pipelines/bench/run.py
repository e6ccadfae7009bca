"""Measures a device with several models and puts its profile together."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from inference.bench.device_facts import CPU, DeviceFacts, Gauges, host_words, read_facts
from inference.bench.matrix_peak import measure_matrix_peak
from inference.devices.nvenc import probe_nvenc
from inference.devices.reader import DeviceReader
from inference.video.diffusion.options import ModelOptions
from pipelines.bench.measure_clip import Bench
from pipelines.bench.measure_model import measure_model
from pipelines.bench.subject import Subject
from storyforge import clock
from storyforge.domain.profile import DeviceProfile, EncoderFigures, MatrixPeak, ModelFigures
from storyforge.errors import StoryForgeError

_ON_CARD = ("bf16", "tf32", "fp32")
_ON_CPU = ("fp32", "bf16")


@dataclass(frozen=True)
class BenchPlan:
    """What is done with every model.

    device: `cpu` or `cuda`. jobs: how many run back to back; 0: none. fused: the most clips tried in
    one pass. preset: of x264. quality: a preset of the models. compiled: where kernels persist.
    """

    device: str
    jobs: int = 3
    fused: int = 2
    vae_alternatives: bool = True
    naive: bool = True
    preset: str = "veryfast"
    quality: str = "exact"
    compiled: Path | None = None


def run_bench(
    subjects: Sequence[Subject],
    plan: BenchPlan,
    reader: DeviceReader,
    say: Callable[[str], None],
) -> DeviceProfile:
    """The profile of the device, with what did not work among its notes.

    Raises SetupProblem without a device, and the last model's error when none could be measured.
    """
    facts = read_facts(plan.device, reader)
    say(f"{facts.name}: the peak of plain matrix products")
    precisions = _ON_CPU if plan.device == CPU else _ON_CARD
    peaks = {one: measure_matrix_peak(plan.device, one) for one in precisions}
    models, notes = _measured(subjects, plan, facts, reader, peaks, say)
    return DeviceProfile(
        device=facts.name,
        uuid=facts.uuid,
        total_bytes=facts.total_bytes,
        driver=facts.driver,
        torch=_version("torch"),
        diffusers=_version("diffusers"),
        storyforge=_version("storyforge"),
        made_at=clock.utc_now(),
        matrix_peaks=tuple(MatrixPeak(precision=key, tflop_per_s=peaks[key]) for key in peaks),
        encoder=_encoder(facts, models),
        models=tuple(models),
        notes=(host_words(), *_what_to_know(models), *notes),
    )


def _measured(
    subjects: Sequence[Subject],
    plan: BenchPlan,
    facts: DeviceFacts,
    reader: DeviceReader,
    peaks: Mapping[str, float],
    say: Callable[[str], None],
) -> tuple[list[ModelFigures], list[str]]:
    """Every model that works, and a note for each that does not."""
    models: list[ModelFigures] = []
    notes: list[str] = []
    last: StoryForgeError | None = None
    gauges = Gauges(plan.device, facts, reader)
    for subject in subjects:
        with _bench(plan, gauges, peaks, say) as bench:
            try:
                models.append(measure_model(bench, subject, _options(plan, subject)))
            except StoryForgeError as exc:
                last = exc
                notes.append(f"{subject.name} was not measured: {exc.detail}")
                say(notes[-1])
        gauges.free()
    if not models and last is not None:
        raise last
    return models, notes


@contextmanager
def _bench(
    plan: BenchPlan, gauges: Gauges, peaks: Mapping[str, float], say: Callable[[str], None]
) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="storyforge-bench-") as work:
        yield Bench(
            device=plan.device,
            gauges=gauges,
            peaks=peaks,
            preset=plan.preset,
            work=Path(work),
            jobs=plan.jobs,
            fused=tuple(range(2, plan.fused + 1)),
            vae_alternatives=plan.vae_alternatives,
            naive=plan.naive,
            say=say,
        )


def _options(plan: BenchPlan, subject: Subject) -> ModelOptions:
    return ModelOptions(
        device=plan.device,
        quality=plan.quality,
        steps=subject.steps,
        guidance=subject.guidance,
        shift=subject.shift,
        cache_dir=plan.compiled,
        random_weights=subject.random_weights,
    )


def _encoder(facts: DeviceFacts, models: Sequence[ModelFigures]) -> EncoderFigures | None:
    """What the encoder was seen to do with the first clip."""
    if not models:
        return None
    clip = models[0].clips[0]
    reason = "no GPU is measured" if facts.index is None else probe_nvenc(facts.index).reason
    return EncoderFigures(
        name="x264",
        reason=reason,
        width=clip.shape.width,
        height=clip.shape.height,
        fps=clip.shape.frames / clip.stages.encode.seconds,
    )


def _what_to_know(models: Sequence[ModelFigures]) -> Iterator[str]:
    drawn = [one.name for one in models if one.random_weights]
    if drawn:
        yield (
            f"Random weights: {', '.join(drawn)}. They change no timing of text, denoising and "
            "decoding; the encoder was given a drawn clip instead of the noise that they film."
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""  # a checkout that is not installed
