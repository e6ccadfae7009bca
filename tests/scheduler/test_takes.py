"""F34: a clip that is no picture is filmed again with other seeds, bounded, then dead with figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import update

from inference.video.model import Frames, ShotRequest
from pipelines.takes import ITEM, RefusedTakes
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import segments as segment_rows
from storyforge.database.engine import Database
from storyforge.database.stage_results import load_result
from storyforge.database.tables import jobs
from storyforge.domain.film_record import FilmRecord
from storyforge.domain.job import JobState, Stage
from storyforge.errors import QualityRefused
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.settings import GateSettings
from tests.builders import accept, new_scene
from tests.scheduler.rig import FILM, PUBLISH, WRITE, Rig

FaultyFrames = Callable[[Frames], Frames]


# Nothing here depends on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work")


def _black(frames: Frames) -> Frames:
    return np.zeros_like(frames)


def _frozen(frames: Frames) -> Frames:
    return np.repeat(frames[:1], len(frames), axis=0)


def _noise(frames: Frames) -> Frames:
    return np.random.default_rng(1).integers(0, 256, frames.shape).astype(np.uint8)


def _numberless(frames: Frames) -> Frames:
    return np.full(frames.shape, np.nan, np.float32)  # type: ignore[return-value]  # a faulty model's


def _other_light(frames: Frames) -> Frames:
    return (frames // 3).astype(np.uint8)


FAULTS = {
    "black": _black,
    "frozen": _frozen,
    "noise": _noise,
    "numbers": _numberless,
    "join": _other_light,
}


def _new_job(rig: Rig) -> UUID:
    return accept(rig.database, new_scene(rig.database).id).job.id


def _spoil(rig: Rig, fault: FaultyFrames, takes: int, seeds: list[int]) -> None:
    """The second shot's first `takes` takes come out faulty; notes the seeds that it had."""

    def shown(request: ShotRequest, frames: Frames) -> Frames:
        if request.index != 1:
            return frames
        if request.seed not in seeds:
            seeds.append(request.seed)
        return fault(frames) if seeds.index(request.seed) < takes else frames

    rig.camera.shown = shown


def _film(rig: Rig, job_id: UUID) -> FilmRecord:
    with rig.database.read() as c:
        [row] = segment_rows.last_rows(c, rig.job(job_id).scene_id, 1, before=1000)
    return FilmRecord.model_validate(row.film)


@pytest.mark.parametrize("gate", list(FAULTS))
def test_a_faulty_take_is_filmed_again_with_another_seed(rig: Rig, gate: str) -> None:
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, FAULTS[gate], takes=1, seeds=seeds)
    rig.drain()
    job = rig.job(job_id)
    assert job.state is JobState.DONE, job.error
    assert rig.camera.rendered == [0, 1, 1], "the sound shot was not filmed again"
    assert len(set(seeds)) == 2
    shots = _film(rig, job_id).shots
    assert [(shot.take, len(shot.refused)) for shot in shots] == [(1, 0), (2, 1)]
    assert gate in {one.gate for one in shots[1].refused[0].refusals}
    assert (shots[1].refused[0].seed, shots[1].seed) == tuple(seeds)
    assert "1 take refused" in _film(rig, job_id).line


@pytest.mark.parametrize("gate", list(FAULTS))
def test_always_faulty_takes_end_as_dead_with_their_figures(rig: Rig, gate: str) -> None:
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, FAULTS[gate], takes=100, seeds=seeds)
    rig.drain()
    job = rig.job(job_id)
    assert job.state is JobState.DEAD
    assert job.error is not None
    assert job.error.code == "quality"
    assert job.error.detail.startswith("Shot 2 of 2 was refused 3 times; take 1 (seed ")
    assert len(set(seeds)) == 3
    assert rig.camera.rendered == [0, 1, 1, 1]


def test_latents_that_are_no_numbers_are_rendered_again_before_any_decode(rig: Rig) -> None:
    job_id = _new_job(rig)
    tried: list[int] = []

    def fail_first(request: ShotRequest) -> None:
        if request.index == 0:
            tried.append(request.seed)
            if len(tried) == 1:
                raise QualityRefused("The latents are no numbers.")

    rig.camera.before_render = fail_first
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.DONE, {})
    assert len(set(tried)) == 2
    assert _film(rig, job_id).shots[0].refused[0].refusals[0].gate == "numbers"


def test_a_crash_behind_a_refusal_goes_on_with_the_take_that_was_due(rig: Rig) -> None:
    """The take's number is saved before anything else happens; no seed comes twice."""
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, _black, takes=2, seeds=seeds)
    spec = "render_shots:p3:unavailable"  # the second take is rendered, and not saved yet
    rig.jobs = rig.jobs.model_copy(update={"backoff_s": 60.0})
    rig.drain(WRITE)
    rig.failpoints = Failpoints()
    rendered = 0

    def arm(request: ShotRequest) -> None:
        nonlocal rendered
        rendered += request.index == 1
        if rendered == 2:
            rig.failpoints = Failpoints(parse_failpoints(spec), rig.folder / "fp")

    rig.camera.before_render = arm
    rig.drain(FILM)
    rig.drain(FILM)
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain(FILM, PUBLISH)
    assert rig.job(job_id).state is JobState.DONE
    assert [one.take for one in _film(rig, job_id).shots[1].refused] == [1, 2]
    assert len(set(seeds)) == 3


def test_an_operators_retry_begins_with_new_seeds(rig: Rig) -> None:
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, _black, takes=3, seeds=seeds)
    rig.drain()
    assert rig.job(job_id).state is JobState.DEAD
    rig.database.write(
        lambda c: job_rows.retry_job(c, job_id, rig.database.clock, now=clock.utc_now())
    )
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert len(set(seeds)) == 4
    assert rig.camera.rendered == [0, 1, 1, 1, 1]


def test_the_number_of_takes_is_a_setting(rig: Rig) -> None:
    rig.gates = GateSettings(retakes=0)
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, _black, takes=1, seeds=seeds)
    rig.drain()
    assert rig.job(job_id).state is JobState.DEAD
    assert rig.camera.rendered == [0, 1]


def test_a_gate_that_is_off_is_written_into_the_record(rig: Rig) -> None:
    rig.gates = GateSettings(off="frozen")
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, _frozen, takes=100, seeds=seeds)
    rig.drain()
    film = _film(rig, job_id)
    assert film.gates_off == ("frozen",)
    assert "not checked: frozen" in film.line
    assert film.shots[1].figures.motion == 0


def test_refusals_are_kept_beside_the_shots_results(rig: Rig) -> None:
    job_id, seeds = _new_job(rig), list[int]()
    _spoil(rig, _black, takes=100, seeds=seeds)
    rig.drain()
    with rig.database.read() as c:
        body = load_result(c, job_id, stage=Stage.RENDER_SHOTS, item=ITEM, input_hash=None)
    saved = RefusedTakes.model_validate(body)
    assert [one.take for one in saved.refused] == [1, 2, 3]
    assert saved.given_up == 3
