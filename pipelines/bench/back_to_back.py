"""Runs jobs behind one another as a film worker does: one decodes while the next denoises."""

from __future__ import annotations

import itertools
import shutil
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from inference.bench.call_meter import CallMeter, Interval, merged_seconds
from inference.video.diffusion.loader import transformers_of
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.model import Frames, ShotRequest
from pipelines.bench.measure_clip import Bench
from pipelines.encoding.hls import encode_hls
from pipelines.encoding.ladder import hls_profile
from storyforge import clock
from storyforge.domain.profile import BackToBack


def measure_back_to_back(
    bench: Bench, video: DiffusionVideoModel, request: ShotRequest, drawn: Frames | None
) -> BackToBack:
    """Film `bench.jobs` shots with seeds of their own, each into HLS parts.

    drawn: given to the encoder instead of the decoded frames, chunk by chunk. The device works for
    a job while a text encoder or transformer is called, or a chunk of frames is waited for; what
    lies between, launches and scheduler steps among it, counts as idle.
    """
    model = video.studio().loaded()
    meter = CallMeter(bench.device)
    decodes: list[Interval] = []
    spans: list[tuple[int, int]] = []
    begin_s = clock.monotonic_s()
    with (
        meter.watching("text", [model.texts.text_encoder]),
        meter.watching("denoise", transformers_of(model.pipeline)),
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="bench-encode") as pool,
    ):
        behind: Future[None] | None = None
        for job in range(bench.jobs):
            shot = request.model_copy(update={"seed": request.seed + job})
            result = bench.work / f"job-{job}.safetensors"
            before = meter.count("denoise")
            video.render(shot, result, lambda _done, _total: None)
            spans.append((before, meter.count("denoise")))
            if behind is not None:
                behind.result()
            behind = pool.submit(_finish, bench, video, shot, result, drawn, meter, decodes)
        if behind is not None:
            behind.result()
    seconds = clock.monotonic_s() - begin_s
    video_s = bench.jobs * request.frames / request.fps
    return _figures(meter, decodes, spans, seconds, video_s)


def _figures(
    meter: CallMeter,
    decodes: Sequence[Interval],
    spans: Sequence[tuple[int, int]],
    seconds: float,
    video_s: float,
) -> BackToBack:
    calls = meter.intervals("denoise")
    denoises = [Interval(calls[first].start_s, calls[end - 1].end_s) for first, end in spans]
    gaps = [after.start_s - before.end_s for before, after in itertools.pairwise(denoises)]
    start_s, end_s = denoises[0].start_s, max(one.end_s for one in decodes)
    worked = [*calls, *meter.intervals("text"), *decodes]
    inside = [one for one in worked if one.end_s > start_s]
    return BackToBack(
        jobs=len(spans),
        seconds=seconds,
        gap_s=max(0.0, statistics.median(gaps)) if gaps else 0.0,
        busy_share=min(1.0, merged_seconds(inside) / (end_s - start_s)),
        video_seconds_per_hour=video_s / seconds * 3600,
    )


def _finish(
    bench: Bench,
    video: DiffusionVideoModel,
    shot: ShotRequest,
    result: Path,
    drawn: Frames | None,
    meter: CallMeter,
    decodes: list[Interval],
) -> None:
    """Decode and encode one job, and leave nothing on disk."""
    into = bench.work / f"{result.stem}-hls"
    profile = hls_profile(shot.width, shot.height, shot.fps)
    chunks = _decoded(video, shot, result, drawn, meter, decodes)
    encode_hls(chunks, profile, into, preset=bench.preset, on_frames=lambda _: None)
    result.unlink()
    shutil.rmtree(into)


def _decoded(
    video: DiffusionVideoModel,
    shot: ShotRequest,
    result: Path,
    drawn: Frames | None,
    meter: CallMeter,
    decodes: list[Interval],
) -> Iterator[Frames]:
    chunks = video.frames(shot, result)
    given = 0
    while True:
        start_s = meter.now_s()
        chunk = next(chunks, None)
        decodes.append(Interval(start_s, meter.now_s()))
        if chunk is None:
            return
        yield chunk if drawn is None else drawn[given : given + len(chunk)]
        given += len(chunk)
