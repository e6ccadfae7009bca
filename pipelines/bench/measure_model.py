"""Measures one model at all its sizes: alone, fused, back to back, and against plain diffusers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from inference.bench.device_facts import weights_bytes
from inference.bench.naive_film import HOW, NaiveRequest, naive_film
from inference.bench.plain_pipeline import plain_pipeline, vae_in
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from inference.video.diffusion.prompts import prompt_of
from inference.video.memory_ladder import Saving
from inference.video.model import Frames, ShotRequest
from pipelines.bench.back_to_back import measure_back_to_back
from pipelines.bench.drawn_clip import bench_request, draw_clip
from pipelines.bench.measure_clip import (
    Bench,
    conv_precision,
    measure_clip,
    measure_decode,
    measure_denoise,
)
from pipelines.bench.same_ladder import same_ladder
from pipelines.bench.subject import Size, Subject
from pipelines.encoding.ladder import hls_profile
from storyforge import clock
from storyforge.domain.profile import (
    ClipFigures,
    ClipShape,
    FusedTiming,
    ModelFigures,
    NaiveFigures,
    StageFigures,
)


@dataclass(frozen=True)
class _Wish:
    """One size of a model, with the shot that is filmed and its drawn frames."""

    shape: ClipShape
    request: ShotRequest
    drawn: Frames


def measure_model(bench: Bench, subject: Subject, options: ModelOptions) -> ModelFigures:
    """All figures of a model. The naive film runs last, when our model's memory is free again.

    Raises what loading, rendering and encoding raise.
    """
    video = DiffusionVideoModel(subject.folder, options)
    bench.say(f"{subject.name}: loading")
    start_s = clock.monotonic_s()
    model = video.studio().loaded()
    bench.gauges.wait()
    load_s = clock.monotonic_s() - start_s
    attention, compiled, held_bytes = model.attention, model.compiled, weights_bytes(model.pipeline)
    wishes = [_wish(subject, size, model.precision) for size in subject.sizes]
    clips = [_measured(bench, video, wish, subject) for wish in wishes]
    del model
    video.close()
    if bench.naive:
        clips = list(_with_naive(bench, subject, options, wishes, clips))
    return ModelFigures(
        name=subject.name,
        weights_bytes=held_bytes,
        frame_step=video.family.frame_step,
        random_weights=subject.random_weights,
        load_s=load_s,
        attention=attention,
        compiled=compiled,
        savings=tuple(video.studio().plan.savings),
        clips=tuple(clips),
    )


def _wish(subject: Subject, size: Size, precision: str) -> _Wish:
    request = bench_request(size, subject.fps)
    shape = ClipShape(
        model=subject.name,
        width=size.width,
        height=size.height,
        frames=size.frames,
        steps=subject.steps,
        precision=precision,
    )
    return _Wish(shape, request, draw_clip(request))


def _measured(
    bench: Bench, video: DiffusionVideoModel, wish: _Wish, subject: Subject
) -> ClipFigures:
    """One size on our path."""
    bench.say(f"{wish.shape.words}")
    clip = measure_clip(bench, video, wish.request, wish.shape, wish.drawn)
    more: dict[str, object] = {}
    if bench.vae_alternatives:
        more["vae_alternatives"] = (_other_vae(bench, video, wish.request, clip),)
    more["fused"] = tuple(_fused(bench, video, wish.request, clip))
    if bench.jobs:
        bench.say(f"{bench.jobs} jobs back to back")
        drawn = wish.drawn if subject.random_weights else None
        more["back_to_back"] = measure_back_to_back(bench, video, wish.request, drawn)
    return clip.model_copy(update=more)


def _other_vae(
    bench: Bench, video: DiffusionVideoModel, request: ShotRequest, clip: ClipFigures
) -> StageFigures:
    """The decode in the precision that is not in use: its gain, or what exactness costs."""
    pipeline = video.studio().loaded().pipeline
    other = "fp32" if conv_precision(bench.device, pipeline.vae) == "bf16" else "bf16"
    bench.say(f"decoding in {other}")
    result = bench.work / "clip.safetensors"
    flops = int(clip.stages.decode.flops or 0)
    with vae_in(pipeline, other):
        measure_decode(bench, video, request, result, flops)  # the libraries choose their kernels
        return measure_decode(bench, video, request, result, flops).stage


def _fused(
    bench: Bench, video: DiffusionVideoModel, request: ShotRequest, clip: ClipFigures
) -> Iterator[FusedTiming]:
    """Several clips in one pass, as long as they fit."""
    alone = clip.stages.denoise
    if not bench.fused or alone.seconds <= 0:
        return
    yield FusedTiming(clips=1, seconds_per_clip=alone.seconds, peak_bytes=alone.peak_bytes)
    for count in sorted(set(bench.fused) - {1}):
        bench.say(f"{count} clips in one pass")
        requests = [request.model_copy(update={"seed": request.seed + one}) for one in range(count)]
        results = [bench.work / f"fused-{one}.safetensors" for one in range(count)]
        fused = measure_denoise(bench, video, requests, results)
        if video.studio().plan.has(Saving.ONE_BY_ONE):
            bench.say(f"{count} clips do not fit at once")
            return
        yield FusedTiming(
            clips=count,
            seconds_per_clip=fused.seconds / count,
            peak_bytes=fused.peak_bytes,
        )


def _with_naive(
    bench: Bench,
    subject: Subject,
    options: ModelOptions,
    wishes: list[_Wish],
    clips: list[ClipFigures],
) -> Iterator[ClipFigures]:
    """Each clip with what plain diffusers took for it, warm, in this very run."""
    bench.gauges.free()
    bench.say("plain diffusers: loading")
    pipeline = plain_pipeline(subject.folder, options)
    family = DiffusionVideoModel(subject.folder, options).family
    for wish, clip in zip(wishes, clips, strict=True):
        size = wish.request
        ladder = same_ladder(hls_profile(size.width, size.height, size.fps), bench.preset)
        naive = NaiveRequest(
            prompt=prompt_of(wish.request),
            negative_prompt=family.negative_prompt,
            width=wish.shape.width,
            height=wish.shape.height,
            frames=wish.shape.frames,
            fps=size.fps,
            steps=subject.steps,
            guidance=family.guidance,
            tokens=family.text_tokens,
        )
        drawn = wish.drawn.astype(np.float32) / 255 if subject.random_weights else None
        into = bench.work / "naive"
        bench.say("plain diffusers: filming")
        naive_film(pipeline, replace(naive, steps=2), ladder, into, drawn=drawn)  # warm
        held = bench.gauges.watch_peak()
        times = naive_film(pipeline, naive, ladder, into, drawn=drawn)
        figures = NaiveFigures(
            how=HOW,
            seconds=times.seconds,
            ratio=times.seconds / our_seconds(clip),
            peak_bytes=held(),
        )
        yield clip.model_copy(update={"naive": figures})


def our_seconds(clip: ClipFigures) -> float:
    """Of one clip, as jobs come: back to back where that was measured, else its stages one by one."""
    if clip.back_to_back is not None:
        return clip.back_to_back.seconds / clip.back_to_back.jobs
    stages = clip.stages
    parts = (stages.text, stages.denoise, stages.decode, stages.encode)
    return sum(one.seconds for one in parts)
