"""Tiny real diffusion models film continuations through the real stages to playable segments."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from inference.language.rule_writer.writer import RuleWriter
from inference.video.model import Frames, ShotRequest, StepWatch, VideoModel
from inference.video.open_model import open_video_model
from inference.video.storyboard.model import StoryboardModel
from pipelines.continuity.rules import RuleValidator
from scheduler.drain import Worker
from storyforge.database import segments as segment_rows
from storyforge.database.engine import Database
from storyforge.domain.film_record import FilmRecord, PictureSource
from storyforge.domain.job import JobState, Lane, Stage
from storyforge.errors import DeviceOutOfMemory
from storyforge.settings import GateSettings
from storyforge.storage.paths import last_frame_key
from storyforge.storage.store import Bucket
from tests.builders import accept, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.chaos.playback import playlists_play
from tests.scheduler.rig import FILM, PUBLISH, WRITE, Rig
from tests.tiny_models.fixtures import TinyModel

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXT = "Mira runs through the old forest. At night the fox waits by the river."


@dataclass
class Watched:
    """The real model, and what was begun and ended in which order.

    fail_decodes: so many decodes break off behind their first chunk. wait_for_render: the first
    decode goes on only when another render has begun.
    """

    model: VideoModel
    told: list[tuple[str, int]] = field(default_factory=list)
    fail_decodes: int = 0
    wait_for_render: bool = False
    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def starts_from_picture(self) -> bool:
        return self.model.starts_from_picture

    @property
    def drifts(self) -> bool:
        return self.model.drifts

    def recipe(self, result: Path) -> Mapping[str, Any]:
        return self.model.recipe(result)

    def render(self, request: ShotRequest, result: Path, watch: StepWatch) -> None:
        self.told.append(("render", request.seed))
        self.began.release()
        self.model.render(request, result, watch)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        for at, chunk in enumerate(self.model.frames(request, result)):
            yield chunk
            if at == 0 and self.wait_for_render:
                self.wait_for_render = False
                for _ in range(request.count + 1):  # this job's own renders, and one more
                    assert self.began.acquire(timeout=120), "no render began beside this decode"
            if at == 0 and self.fail_decodes:
                self.fail_decodes -= 1
                raise DeviceOutOfMemory("The device ran out of memory while decoding.", 0.0)
        self.told.append(("decoded", request.seed))

    def close(self) -> None:
        self.model.close()


@dataclass
class RealRig(Rig):
    """All lanes with the real writer, rules, storyboard and video model.

    Models with random weights film noise, and shots that have nothing to do with one another.
    """

    video: VideoModel = field(default_factory=StoryboardModel)
    gates: GateSettings = field(default_factory=lambda: GateSettings(off="noise,join"))

    def worker(self, lane: Lane) -> Worker:
        worker = super().worker(lane)
        tools = replace(
            worker.tools,
            language=RuleWriter(),
            validator=RuleValidator(),
            animatic=StoryboardModel(),
            video=self.video,
        )
        return replace(worker, tools=tools)


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> RealRig:
    return RealRig(database, tmp_path / "work")


def _continued(rig: RealRig) -> UUID:
    return accept(rig.database, new_scene(rig.database).id, text=TEXT).job.id


def _is_sound(rig: RealRig) -> bool:
    evidence = gather(rig.database)
    verdict = judge(
        evidence,
        list(evidence.jobs),
        attempts_allowed={"": 12},
        unread=NO_WAKE_UPS,
        playback=list(playlists_play(evidence, rig.store)),
    )
    assert verdict.violations == ()
    return verdict.lost == verdict.doubled == 0


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "wan.wan22_a14b_i2v", "ltx.ltx_t2v"])
def test_a_tiny_real_model_films_a_continuation_that_plays(
    name: str, rig: RealRig, tiny_model: TinyModel
) -> None:
    rig.video = open_video_model(str(tiny_model(name)), steps=2)
    job_id = _continued(rig)
    assert rig.drain() == 3
    job = rig.job(job_id)
    assert job.state is JobState.DONE, job.error
    assert job.result is not None
    assert job.result.duration == pytest.approx(2.0)
    assert _is_sound(rig)


def test_a_decode_that_breaks_off_is_resumed_and_nothing_is_rendered_again(
    rig: RealRig, tiny_model: TinyModel
) -> None:
    watched = Watched(open_video_model(str(tiny_model("wan.wan22_ti2v")), steps=2), fail_decodes=1)
    rig.video = watched
    job_id = _continued(rig)
    rig.drain(WRITE, FILM)
    rig.drain(FILM, PUBLISH)
    assert rig.job(job_id).state is JobState.DONE
    rendered = [seed for what, seed in watched.told if what == "render"]
    assert rendered
    assert len(rendered) == len(set(rendered))
    epochs = {row.stage: row.epoch for row in gather(rig.database).results[job_id]}
    assert epochs[Stage.ENCODE_HLS.value] > epochs[Stage.RENDER_SHOTS.value]
    assert _is_sound(rig)


def test_the_next_job_renders_before_the_one_before_is_decoded(
    rig: RealRig, tiny_model: TinyModel
) -> None:
    model = open_video_model(str(tiny_model("wan.wan22_ti2v")), steps=2)
    rig.video = watched = Watched(model, wait_for_render=True)
    jobs = [_continued(rig), _continued(rig)]
    rig.drain()
    assert [rig.job(job_id).state for job_id in jobs] == [JobState.DONE, JobState.DONE]
    order = [what for what, _ in watched.told]
    shots = order.count("render") // 2
    second_begins = [at for at, what in enumerate(order) if what == "render"][shots]
    first_decoded = order.index("decoded")
    assert second_begins < first_decoded
    assert _is_sound(rig)


@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "ltx.ltx_condition"])
def test_a_continuation_starts_from_the_last_picture_of_the_segment_before(
    name: str, rig: RealRig, tiny_model: TinyModel
) -> None:
    rig.video = open_video_model(str(tiny_model(name)), steps=2)
    scene_id = new_scene(rig.database).id
    for _ in range(2):
        job_id = accept(rig.database, scene_id, text=TEXT).job.id
        rig.drain()
        assert rig.job(job_id).state is JobState.DONE, rig.job(job_id).error
    with rig.database.read() as c:
        before, after = segment_rows.last_rows(c, scene_id, 2, before=3)
    kept = rig.store.head(Bucket.VIDEOS, last_frame_key(scene_id, before.id))
    assert kept is not None
    first, *others = FilmRecord.model_validate(after.film).shots
    assert first.picture.source is PictureSource.LAST_FRAME
    assert first.picture.sha256 == first.recipe["firstFrameSha256"] == kept.sha256
    assert first.recipe["firstFrame"] == "used"
    assert {shot.recipe["firstFrame"] for shot in others} <= {"none"}
    assert first.join.to_last is not None
    assert _is_sound(rig)


def test_a_text_to_video_model_says_that_it_cannot_continue_the_picture(
    rig: RealRig, tiny_model: TinyModel
) -> None:
    rig.video = open_video_model(str(tiny_model("ltx.ltx_t2v")), steps=2)
    scene_id = new_scene(rig.database).id
    for _ in range(2):
        accept(rig.database, scene_id, text=TEXT)
        rig.drain()
    with rig.database.read() as c:
        [after] = segment_rows.last_rows(c, scene_id, 1, before=3)
    first = FilmRecord.model_validate(after.film).shots[0]
    assert first.picture.note == f"{rig.video.name} cannot start from a picture."
    assert first.recipe["firstFrame"] == "none"
    assert first.recipe["model"] == rig.video.name


def test_the_gates_refuse_the_noise_of_random_weights(rig: RealRig, tiny_model: TinyModel) -> None:
    """F34 with a real model: all takes are noise, so the job ends with the figures."""
    rig.gates = GateSettings(retakes=1)
    rig.video = open_video_model(str(tiny_model("ltx.ltx_t2v")), steps=2)
    job_id = _continued(rig)
    rig.drain()
    error = rig.job(job_id).error
    assert error is not None
    assert (error.code, error.stage) == ("quality", "encode_hls")
    assert "was refused 2 times" in error.detail
    assert "The picture is noise" in error.detail
