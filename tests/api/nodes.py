"""An API on a temporary database and store, with what it was given at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from scheduler.dispatch import RecordedWakeUps
from storyforge import clock
from storyforge.database.engine import Database, open_database
from storyforge.database.finalize import Outcome, finalize_job
from storyforge.database.leases import Claim
from storyforge.database.tables import jobs as job_table
from storyforge.database.tables import metadata
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.job import JobKind, JobState, Lane
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import (
    EncodedSegment,
    HlsProfile,
    MediaFile,
    Part,
    Rung,
    RungMedia,
    SegmentSummary,
)
from storyforge.events import RecordedEvents
from storyforge.ids import uuid7
from storyforge.settings import NodeSettings, Settings
from storyforge.storage.filesystem import FilesystemStore
from storyforge.storage.tokens import TokenSigner
from tests.builders import film_record

BASE = "http://127.0.0.1:8400"
PROFILE = HlsProfile(
    fps=24,
    rungs=(Rung(name="720p", width=1280, height=720), Rung(name="480p", width=854, height=480)),
)


@dataclass
class Node:
    """One API and all that it was given."""

    app: FastAPI
    client: TestClient
    settings: Settings
    database: Database
    store: FilesystemStore
    wake_ups: RecordedWakeUps
    events: RecordedEvents
    signer: TokenSigner

    def scene(self, **body: Any) -> str:
        answer = self.client.post("/v1/scenes", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, scene_id: str, text: str = "A fox crosses the frozen lake.", **more: Any) -> Any:
        answer = self.client.post(f"/v1/scenes/{scene_id}/continue", json={"text": text, **more})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def film(self, scene_id: str, text: str = "A fox crosses the frozen lake.") -> str:
        """One more finished segment; gives its id."""
        return self.finish(self.ask(scene_id, text)["jobId"])

    def finish(
        self, job_id: str, media: EncodedSegment | None = None, segment_id: UUID | None = None
    ) -> str:
        """End a queued job as the workers would; without media they exist only as records."""
        segment_id = segment_id or uuid7()

        def work(c: Any) -> None:
            row = c.execute(job_table.select().where(job_table.c.id == UUID(job_id))).one()
            c.execute(
                job_table.update()
                .where(job_table.c.id == row.id)
                .values(state=JobState.LEASED, epoch=row.epoch + 1, worker="test")
            )
            claim = Claim(row.id, row.scene_id, Lane.PUBLISH, row.epoch + 1, JobKind(row.kind))
            outcome = outcome_of(segment_id, row.scene_id, row.text, media or media_of())
            finalize_job(c, self.database.clock, claim, outcome, now=clock.utc_now())

        self.database.write(work)
        return str(segment_id)


def media_of(parts: int = 3) -> EncodedSegment:
    rungs = tuple(
        RungMedia(
            rung=rung,
            codecs="avc1.64001f,mp4a.40.2",
            bandwidth=900_000,
            average_bandwidth=700_000,
            parts=tuple(
                Part(uri=f"{rung.name}_{number:04d}.ts", seconds=2.0, bytes=200_000)
                for number in range(1, parts + 1)
            ),
        )
        for rung in PROFILE.rungs
    )
    index = MediaFile(path="sprites.vtt", bytes=10, sha256="0" * 64, content_type="text/vtt")
    return EncodedSegment(
        profile=PROFILE, frames=48 * parts, seconds=2.0 * parts, rungs=rungs, files=(index,)
    )


def outcome_of(segment_id: UUID, scene_id: UUID, text: str, media: EncodedSegment) -> Outcome:
    base = f"/media/videos/{scene_id}/{segment_id}"
    return Outcome(
        segment_id=segment_id,
        text=text,
        script=Script(shots=(Shot(prompt="A lake", narration=text, seconds=6),), writer="rules-1"),
        continuity=ValidationResult(valid=True),
        bible=SceneBible(),
        summary=SegmentSummary(segment_id=segment_id, number=1, summary=text[:60]),
        long_summary="",
        media=media,
        video_url=f"{base}/master.m3u8",
        thumbnail_url=f"{base}/thumbnail.jpg",
        film=film_record(),
    )


def make_node(tmp_path: Path, broker_url: str | None = None, **settings: Any) -> Node:
    made = Settings(node=NodeSettings(data_dir=tmp_path), **settings)
    database = open_database(made.database_url, made.database)
    metadata.create_all(database.engine)
    signer = TokenSigner(b"s" * 32)
    store = FilesystemStore(tmp_path / "objects", signer)
    wake_ups, events = RecordedWakeUps(), RecordedEvents()
    app = create_app(
        made,
        database=database,
        store=store,
        dispatcher=wake_ups,
        events=events,
        signer=signer,
        broker_url=broker_url,
    )
    client = TestClient(app, base_url=BASE)
    return Node(app, client, made, database, store, wake_ups, events, signer)
