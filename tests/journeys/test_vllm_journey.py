"""The real vLLM writes for the job core: asleep, stopped or killed in mid-job, each job ends once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from inference.language.agent.agent import ScriptAgent
from scheduler.drain import Worker
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.job import Job, JobState, Lane
from storyforge.settings import JobSettings
from tests.builders import accept, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.scheduler.rig import WRITE, Rig
from tests.servers.vllm import VllmServer, when

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(600),  # the server's own start, on a busy machine
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
TEXT = "Mira runs through the old forest. At night the fox waits by the river."
BIBLE = SceneBible(title="The fox", characters=(Character(id="mira", name="Mira"),))
QUICK = JobSettings(backoff_s=1.0, backoff_max_s=2.0, cancel_poll_s=0.2, unavailable_attempts=60)
PATIENCE_S = 500.0  # a hang guard: the server starts again meanwhile


@dataclass
class VllmRig(Rig):
    """All lanes, the script agent among them; the cameras are fakes."""

    language: ScriptAgent | None = None

    def worker(self, lane: Lane) -> Worker:
        worker = super().worker(lane)
        assert self.language is not None
        return replace(worker, tools=replace(worker.tools, language=self.language))

    def finish(self, job_id: UUID) -> Job:
        """Drain, as the wake-ups would, until the job has ended."""
        until_s = clock.monotonic_s() + PATIENCE_S
        while (job := self.job(job_id)).state not in job_rows.ENDED:
            assert clock.monotonic_s() < until_s, job.message
            self.drain()
            clock.sleep_s(0.2)
        return job


@pytest.fixture
def rig(database: Database, tmp_path: Path, vllm: VllmServer) -> VllmRig:
    agent = vllm.agent(first_token_s=8.0, between_tokens_s=8.0)
    return VllmRig(database, tmp_path / "work", jobs=QUICK, language=agent)


def _continued(rig: VllmRig) -> UUID:
    scene = new_scene(rig.database, BIBLE)
    return accept(rig.database, scene.id, text=TEXT).job.id


def _ended_once(rig: VllmRig) -> None:
    evidence = gather(rig.database)
    verdict = judge(
        evidence, list(evidence.jobs), attempts_allowed={"": 60}, unread=NO_WAKE_UPS, playback=[]
    )
    assert verdict.violations == ()
    assert verdict.lost == verdict.doubled == 0


def _writing(vllm: VllmServer) -> Callable[[], bool]:
    """Whether the server has begun to write for somebody, probes aside."""
    before = vllm.control.figures().get("vllm:generation_tokens_total", 0.0)
    return lambda: vllm.control.figures().get("vllm:generation_tokens_total", 0.0) > before + 8


def test_a_continuation_is_written_by_the_model_within_its_schema(rig: VllmRig) -> None:
    job = rig.finish(_continued(rig))
    assert job.state is JobState.DONE, job.error
    with rig.database.read() as c:
        scene = job_rows.scene_rows.get_scene(c, job.scene_id)
    assert scene.bible_version == 2
    _ended_once(rig)


def test_a_server_put_to_sleep_in_mid_job_makes_the_job_wait_until_it_wakes(
    rig: VllmRig, vllm: VllmServer
) -> None:
    job_id = _continued(rig)
    act = when(_writing(vllm), vllm.control.sleep)
    rig.drain(WRITE)
    act.join()
    waiting = rig.job(job_id)
    if waiting.state is JobState.QUEUED:  # it was caught while it wrote, which it nearly always is
        assert "sleep" in waiting.message
    assert vllm.control.is_sleeping()
    vllm.control.wake()
    assert rig.finish(job_id).state is JobState.DONE
    _ended_once(rig)


def test_a_cancel_in_mid_job_ends_it_and_the_server_stops_writing(
    rig: VllmRig, vllm: VllmServer
) -> None:
    job_id = _continued(rig)
    worker = rig.worker(WRITE)
    worker.heartbeat.start()

    def cancel() -> None:
        rig.database.write(lambda c: job_rows.cancel_job(c, job_id, now=clock.utc_now()))

    act = when(_writing(vllm), cancel)
    worker.drain()
    act.join()
    worker.heartbeat.stop()
    assert rig.job(job_id).state is JobState.CANCELLED
    vllm.control.drain(timeout_s=10.0)
    _ended_once(rig)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_killed_or_stopped_in_mid_job_is_started_again_and_the_job_ends_once(
    rig: VllmRig, vllm: VllmServer, number: signal.Signals
) -> None:
    """F69, F70: stopped, its port still takes connections; only the missing token tells."""
    exits = len(vllm.exits)
    job_id = _continued(rig)
    act = when(_writing(vllm), lambda: vllm.send(number))
    rig.drain(WRITE)
    act.join()
    assert rig.finish(job_id).state is JobState.DONE
    assert len(vllm.exits) > exits, "its keeper noticed"
    _ended_once(rig)
