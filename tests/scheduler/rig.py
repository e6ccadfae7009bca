"""A node in one process: all lanes on fake models, stepped by the test, on a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from inference.language.model import LanguageModel, ScriptBrief
from inference.narration.voice import FakeVoice, Voice
from inference.video.model import Frames, ShotRequest, StepWatch
from pipelines.continuation import Tools, job_folder
from pipelines.encoding.encoders import X264, EncoderChoice
from scheduler.claims import Claims
from scheduler.device_guard import DeviceGuard
from scheduler.dispatch import RecordedWakeUps
from scheduler.drain import Worker
from scheduler.heartbeat import Heartbeat
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database
from storyforge.database.workers import WorkerRecord
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityIssue, ContinuityValidator, ValidationResult
from storyforge.domain.job import Job, Lane
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import DatabaseUnreachable
from storyforge.events import RecordedEvents
from storyforge.failpoints import Failpoints
from storyforge.settings import GateSettings, JobSettings, VideoSettings
from storyforge.storage.memory import MemoryStore
from storyforge.storage.store import ObjectStore

T = TypeVar("T")
QUICK = JobSettings(lease_s=30.0, heartbeat_s=10.0, backoff_s=0.0, cancel_poll_s=0.05)
SHOTS = 2


class FakeWriter:
    """Two shots for any text, with everybody whom the bible knows."""

    name = "fake-writer/1"

    def expand_script(self, brief: ScriptBrief) -> Script:
        each = brief.target_seconds / SHOTS
        cast = tuple(one.id for one in brief.bible.characters)
        shots = tuple(
            Shot(prompt=f"{brief.text} {n}", narration=brief.text, seconds=each, characters=cast)
            for n in range(SHOTS)
        )
        return Script(shots=shots, writer=self.name)

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        del brief, issues
        return script

    def move_bible(self, brief: ScriptBrief, script: Script, segment_number: int) -> SceneBible:
        del script
        told = f"{brief.bible.synopsis} {segment_number}: {brief.text}".strip()
        return brief.bible.model_copy(update={"synopsis": told})

    def summarise(self, brief: ScriptBrief, script: Script) -> str:
        del script
        return brief.text

    def fold_summary(self, long_summary: str, summaries: tuple[SegmentSummary, ...]) -> str:
        return " ".join([long_summary, *(one.summary for one in summaries)]).strip()


class NoObjection:
    """Finds nothing wrong with any script."""

    def validate(
        self, script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...] = ()
    ) -> ValidationResult:
        del script, bible, recent
        return ValidationResult(valid=True)

    def auto_correct(
        self, script: Script, bible: SceneBible, result: ValidationResult
    ) -> tuple[Script, ValidationResult]:
        del bible
        return script, result


@dataclass
class FakeCamera:
    """A light that wanders over grey; counts what it rendered.

    `before_render` may raise or look around. `shown` puts other frames in place of the sound ones.
    """

    name: str = "fake-camera/1"
    rendered: list[int] = field(default_factory=list)
    before_render: Callable[[ShotRequest], None] = lambda _request: None
    starts_from_picture: bool = False
    drifts: bool = True
    shown: Callable[[ShotRequest, Frames], Frames] = lambda _request, frames: frames

    def render(self, request: ShotRequest, result: Path, watch: StepWatch) -> None:
        self.before_render(request)
        result.write_text(str(request.seed))
        self.rendered.append(request.index)
        watch(1, 1)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        assert result.read_text() == str(request.seed)
        yield self.shown(request, wandering_light(request))

    def recipe(self, result: Path) -> Mapping[str, Any]:
        return {"seed": int(result.read_text())}

    def close(self) -> None:
        return


def wandering_light(request: ShotRequest) -> Frames:
    """A soft light on grey that moves by a pixel a frame; every shot is a little brighter."""
    across = np.abs(np.arange(request.width) - np.arange(request.frames)[:, None])
    light = 60 + 4 * request.index + 120 * np.exp(-across / request.width * 4)
    rows = light[:, None, :, None].repeat(request.height, axis=1).repeat(3, axis=3)
    return rows.astype(np.uint8)


class ForgetfulDatabase(Database):
    """Commits, and then loses the reply as often as `lose` says (guarantees F43)."""

    lose = 0
    lost = 0

    def write(self, work: Callable[[Connection], T]) -> T:
        result = super().write(work)
        if self.lose:
            self.lose -= 1
            self.lost += 1
            raise DatabaseUnreachable("The reply was lost.", retry_after_s=0)
        return result


@dataclass
class Rig:
    """Workers of all lanes; `drain` runs one lane until nothing is due."""

    database: Database
    folder: Path
    jobs: JobSettings = QUICK
    store: ObjectStore = field(default_factory=MemoryStore)
    camera: FakeCamera = field(default_factory=FakeCamera)
    failpoints: Failpoints = field(default_factory=Failpoints)
    events: RecordedEvents = field(default_factory=RecordedEvents)
    wake_ups: RecordedWakeUps = field(default_factory=RecordedWakeUps)
    stopping: Callable[[], bool] = lambda: False
    heartbeat: Heartbeat | None = None
    language: LanguageModel = field(default_factory=FakeWriter)
    validator: ContinuityValidator = field(default_factory=NoObjection)
    device: DeviceGuard = field(default_factory=DeviceGuard)
    fused: Callable[[str], int] = lambda _key: 1
    gates: GateSettings = field(default_factory=GateSettings)
    encoder: EncoderChoice = X264
    voice: Voice = field(default_factory=FakeVoice)

    def worker(self, lane: Lane) -> Worker:
        """One worker of a lane."""
        record = WorkerRecord(name=f"{lane.value}-rig", role=lane.value, pid=1, info={})
        tools = Tools(
            language=self.language,
            validator=self.validator,
            animatic=FakeCamera(),
            video=self.camera,
            store=self.store,
            video_settings=VideoSettings(width=64, height=64, fps=4, x264_preset="ultrafast"),
            work_dir=self.folder,
            gates=self.gates,
            encoder=self.encoder,
            voice=self.voice,
        )
        return Worker(
            name=record.name,
            lane=lane,
            database=self.database,
            tools=tools,
            events=self.events,
            dispatcher=self.wake_ups,
            heartbeat=self.heartbeat or Heartbeat(self.database, self.jobs, record),
            failpoints=self.failpoints,
            jobs=self.jobs,
            stopping=self.stopping,
            claims=Claims(self.database, lane, record.name, self.jobs, fused=self.fused),
            device=self.device,
        )

    def drain(self, *lanes: Lane) -> int:
        """Drain these lanes in order (all three by default); gives how many were claimed."""
        return sum(self.worker(lane).drain() for lane in lanes or tuple(Lane))

    def drain_before(self, lane: Lane) -> None:
        """Drain the lanes that come before this one."""
        for earlier in Lane:
            if earlier is lane:
                return
            self.drain(earlier)

    def job(self, job_id: UUID) -> Job:
        """The job's row."""
        with self.database.read() as c:
            return job_rows.get_job(c, job_id)

    def job_folder(self, job_id: UUID) -> Path:
        """Where the job's files lie."""
        return job_folder(self.folder, str(job_id))


WRITE, FILM, PUBLISH = Lane.WRITE, Lane.FILM, Lane.PUBLISH
__all__ = ["FILM", "PUBLISH", "WRITE", "FakeCamera", "ForgetfulDatabase", "Rig"]
