"""Measures one clip of a loaded model on the film path, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.bench.call_meter import CallMeter
from inference.bench.device_facts import Gauges
from inference.bench.flops import CallRecorder, Flops, count_calls, count_decode
from inference.video.diffusion.loader import LoadedModel, transformers_of
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.saved_clip import load_clip
from inference.video.model import Frames, ShotRequest
from pipelines.bench.drawn_clip import in_chunks
from pipelines.encoding.hls import encode_hls
from pipelines.encoding.ladder import hls_profile
from storyforge import clock
from storyforge.domain.profile import ClipFigures, ClipShape, ClipStages, StageFigures


@dataclass(frozen=True)
class Bench:
    """What measuring needs besides a model.

    peaks: TFLOP/s of plain matrix products by precision. preset: of x264. work: a folder for what
    is rendered. jobs: how many run back to back; 0: none. fused: how many clips are tried in one pass.
    say: tells how far it is.
    """

    device: str
    gauges: Gauges
    peaks: Mapping[str, float]
    preset: str
    work: Path
    jobs: int
    fused: tuple[int, ...]
    vae_alternatives: bool
    naive: bool
    say: Callable[[str], None]

    def stage(
        self, seconds: float, precision: str, flops: int | None, peak_bytes: int | None
    ) -> StageFigures:
        """The figures of one stage, with its rate and that rate's share of this device's peak."""
        rate = flops / seconds / 1e12 if flops and seconds > 0 else None
        peak = self.peaks.get(precision)
        return StageFigures(
            seconds=seconds,
            precision=precision,
            flops=flops,
            tflop_per_s=rate,
            share_of_peak=rate / peak if rate is not None and peak else None,
            peak_bytes=peak_bytes,
        )


@dataclass(frozen=True)
class Rendered:
    """What rendering was seen to take."""

    text: StageFigures
    denoise: StageFigures
    attention_share: float


@dataclass(frozen=True)
class Decoded:
    """What decoding was seen to take, and how soon the first frames were there."""

    stage: StageFigures
    first_frames_s: float


def measure_clip(
    bench: Bench, video: DiffusionVideoModel, request: ShotRequest, shape: ClipShape, drawn: Frames
) -> ClipFigures:
    """The four stages of one clip, warm, each alone. Raises what rendering and encoding raise."""
    model = video.studio().loaded()
    result = bench.work / "clip.safetensors"
    bench.say("warming up")
    video.warm_up([(shape.width, shape.height, shape.frames)])
    bench.say("rendering one clip")
    start_joules = bench.gauges.energy_joules()
    rendered = measure_render(bench, video, request, result)
    rendered_joules = bench.gauges.energy_joules()
    decode_flops = _decode_flops(model, result)
    _exhaust(video, request, result)  # the libraries choose their kernels
    bench.say("decoding it")
    decoding_joules = bench.gauges.energy_joules()
    decoded = measure_decode(bench, video, request, result, decode_flops)
    end_joules = bench.gauges.energy_joules()
    bench.say("encoding a drawn clip")
    encode = _measure_encode(bench, request, drawn)
    stages = ClipStages(
        text=rendered.text, denoise=rendered.denoise, decode=decoded.stage, encode=encode
    )
    known = [one.peak_bytes for one in (stages.text, stages.denoise, stages.decode)]
    return ClipFigures(
        shape=shape,
        fps=request.fps,
        stages=stages,
        peak_bytes=max((one for one in known if one), default=None),
        energy_joules=_added(start_joules, rendered_joules, decoding_joules, end_joules),
        attention_share=rendered.attention_share,
        first_frames_s=decoded.first_frames_s,
    )


def measure_render(
    bench: Bench, video: DiffusionVideoModel, request: ShotRequest, result: Path
) -> Rendered:
    """Text and denoising of one clip, between the first and the last call of their modules."""
    model = video.studio().loaded()
    encoder, transformers = model.texts.text_encoder, transformers_of(model.pipeline)
    words = CallRecorder()
    steps = [CallRecorder() for _ in transformers]
    text_peaks: list[int | None] = []
    bench.gauges.wait()
    held = bench.gauges.watch_peak()
    meter = CallMeter(bench.device)
    with ExitStack() as watching:
        watching.enter_context(meter.watching("text", [encoder]))
        watching.enter_context(meter.watching("denoise", transformers))
        for recorder, module in zip((words, *steps), (encoder, *transformers), strict=True):
            watching.enter_context(recorder.watching(module))
        handle = encoder.register_forward_hook(lambda *_: text_peaks.append(held()))
        watching.callback(handle.remove)
        video.render(request, result, _quiet)
    calls = meter.intervals("denoise")
    text_s = sum(one.seconds for one in meter.intervals("text"))
    text_flops = count_calls(encoder, words.calls)
    flops = Flops()
    for recorder, module in zip(steps, transformers, strict=True):
        flops += count_calls(module, recorder.calls)
    return Rendered(
        text=bench.stage(
            text_s, model.precision, text_flops.total, max(filter(None, text_peaks), default=None)
        ),
        denoise=bench.stage(
            calls[-1].end_s - calls[0].start_s, model.precision, flops.total, held()
        ),
        attention_share=flops.attention_share,
    )


def measure_denoise(
    bench: Bench,
    video: DiffusionVideoModel,
    requests: Sequence[ShotRequest],
    results: Sequence[Path],
) -> StageFigures:
    """The denoising of several shots in one pass, all together. Raises what rendering raises."""
    model = video.studio().loaded()
    bench.gauges.wait()
    held = bench.gauges.watch_peak()
    meter = CallMeter(bench.device)
    with meter.watching("denoise", transformers_of(model.pipeline)):
        video.render_batch(requests, results, _quiet)
    calls = meter.intervals("denoise")
    return bench.stage(calls[-1].end_s - calls[0].start_s, model.precision, None, held())


def measure_decode(
    bench: Bench,
    video: DiffusionVideoModel,
    request: ShotRequest,
    result: Path,
    flops: int,
) -> Decoded:
    """From the saved clip to the last frame in host memory."""
    precision = conv_precision(bench.device, video.studio().loaded().pipeline.vae)
    bench.gauges.wait()
    held = bench.gauges.watch_peak()
    start_s, first_s = clock.monotonic_s(), 0.0
    for number, _chunk in enumerate(video.frames(request, result)):
        if number == 0:
            first_s = clock.monotonic_s() - start_s
    seconds = clock.monotonic_s() - start_s
    return Decoded(bench.stage(seconds, precision, flops, held()), first_s)


def conv_precision(device: str, vae: Any) -> str:
    """What a decoder's convolutions are computed in: float32 is tf32 on a card, torch's default."""
    short = {"torch.bfloat16": "bf16", "torch.float32": "fp32"}.get(str(vae.dtype), str(vae.dtype))
    return "tf32" if short == "fp32" and device != "cpu" else short


def _decode_flops(model: LoadedModel, result: Path) -> int:
    saved = load_clip(result)
    shape, state = saved.latents.shape, saved.noise_state
    return count_decode(model.adapter, model.pipeline, shape, state).total


def _measure_encode(bench: Bench, request: ShotRequest, drawn: Frames) -> StageFigures:
    profile = hls_profile(request.width, request.height, request.fps)
    into = bench.work / "encoded"
    start_s = clock.monotonic_s()
    encode_hls(in_chunks(drawn), profile, into, preset=bench.preset, on_frames=lambda _: None)
    return StageFigures(seconds=clock.monotonic_s() - start_s)


def _exhaust(video: DiffusionVideoModel, request: ShotRequest, result: Path) -> None:
    for _chunk in video.frames(request, result):
        pass


def _added(
    first: float | None, second: float | None, third: float | None, fourth: float | None
) -> float | None:
    """Joules from the first to the second reading and from the third to the fourth."""
    if first is None or second is None or third is None or fourth is None:
        return None
    return (second - first) + (fourth - third)


def _quiet(_done: int, _total: int) -> None:
    """Watch nothing."""
