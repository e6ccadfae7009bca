"""Disks that are really full: small file systems in memory, filled to the last byte (F55, F56)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text, update

from storyforge.database.engine import Database, open_database
from storyforge.database.tables import jobs
from storyforge.domain.job import JobState, Lane
from storyforge.errors import DiskFull
from storyforge.failpoints import Failpoints
from storyforge.settings import DatabaseSettings
from storyforge.storage.filesystem import FilesystemStore
from storyforge.storage.tokens import TokenSigner
from tests.builders import accept, claim, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.scheduler.rig import FILM, PUBLISH, SHOTS, WRITE, Rig
from tests.servers.postgres import PostgresServer

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MountDisk = Callable[[int], Path]


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[MountDisk]:
    """Mounts a file system of so many KiB; skipped where mounting is not allowed."""
    with contextlib.ExitStack() as stack:

        def mount(size_kib: int) -> Path:
            place = tmp_path / f"disk-{size_kib}"
            place.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(place)]
            if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
                pytest.skip("a really full disk needs the right to mount one")
            stack.callback(subprocess.run, ["umount", "-l", str(place)], check=True)
            return place

        yield mount


def _fill(disk: Path) -> Path:
    """Leave not one byte; gives the file to remove for room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    assert shutil.disk_usage(disk).free == 0
    return ballast


class FillsUp(Failpoints):
    """Fills the disk when a stage begins."""

    def __init__(self, disk: Path, stage: str) -> None:
        super().__init__()
        self._disk, self._stage = disk, stage
        self.ballast: Path | None = None

    def hit(self, stage: str, point: str, job: str = "") -> None:
        if (stage, point) == (self._stage, "p1") and self.ballast is None:
            self.ballast = _fill(self._disk)


def _make_room_and_go_on(rig: Rig, full: FillsUp) -> None:
    assert full.ballast is not None
    full.ballast.unlink()
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain()


def _accept_many(database: Database, scene_id: UUID) -> None:
    for _ in range(2000):
        accept(database, scene_id, text=os.urandom(3000).hex())


@ON_SQLITE
@pytest.mark.parametrize("stage", ["preview", "render_shots", "encode_hls"])
def test_a_full_work_disk_is_waited_for(
    database: Database, mount_disk: MountDisk, stage: str
) -> None:
    """F55: the job waits as disk_full, and goes on from where it was when there is room."""
    disk = mount_disk(2048)
    full = FillsUp(disk, stage)
    rig = Rig(database, disk / "work", failpoints=full)
    (disk / "work").mkdir()
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, {"disk_full": 1}), job.message
    _make_room_and_go_on(rig, full)
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
    evidence = gather(database)
    verdict = judge(evidence, [job_id], attempts_allowed={"": 12}, unread=NO_WAKE_UPS)
    assert verdict.violations == ()


@ON_SQLITE
def test_a_full_store_disk_is_waited_for(database: Database, mount_disk: MountDisk) -> None:
    disk = mount_disk(4096)
    full = FillsUp(disk, "publish_segment")
    store = FilesystemStore(disk / "objects", TokenSigner(b"x" * 32))
    rig = Rig(database, disk.parent / "work", failpoints=full, store=store)
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain(WRITE, FILM, PUBLISH)
    job = rig.job(job_id)
    assert (job.state, job.lane, job.attempts) == (JobState.QUEUED, PUBLISH, {"disk_full": 1})
    assert gather(database).segments == {}
    _make_room_and_go_on(rig, full)
    assert rig.job(job_id).state is JobState.DONE


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_under_sqlite_refuses_and_tears_nothing(
    database_url: str, mount_disk: MountDisk
) -> None:
    """F56: 503 (DiskFull), no half row, and everything works again when there is room."""
    disk = mount_disk(1024)
    source = Path(database_url.removeprefix("sqlite:///"))
    shutil.copy(source, disk / "storyforge.db")
    small = open_database(f"sqlite:///{disk}/storyforge.db", DatabaseSettings())
    scene = new_scene(small)
    ballast = _fill(disk)
    with pytest.raises(DiskFull):  # what the log has room for still passes
        _accept_many(small, scene.id)
    refused_at = len(gather(small).jobs)
    with pytest.raises(DiskFull):
        accept(small, scene.id, text="The fox waits. " * 200)
    assert len(gather(small).jobs) == refused_at
    ballast.unlink()
    accept(small, scene.id)
    assert len(gather(small).jobs) == refused_at + 1
    with small.read() as c:
        assert c.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert claim(small, Lane.WRITE) is not None
    small.dispose()


@pytest.mark.postgres
def test_a_full_disk_under_postgresql_refuses_and_tears_nothing(
    postgres_server: PostgresServer, postgres_template: str, mount_disk: MountDisk
) -> None:
    """F56 with the tables on a disk of their own."""
    disk = mount_disk(24 * 1024)
    shutil.chown(disk, "postgres", "postgres")
    for folder in [disk, *disk.parents][:4]:
        folder.chmod(0o755)
    admin = f"host=127.0.0.1 port={postgres_server.port} user=tester dbname=postgres"
    with psycopg.connect(admin, autocommit=True) as c:
        c.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
        c.execute(
            f"CREATE DATABASE full_disk TEMPLATE {postgres_template} TABLESPACE small".encode()
        )
    url = f"postgresql+psycopg://tester@127.0.0.1:{postgres_server.port}/full_disk"
    small = open_database(url, DatabaseSettings())
    try:
        scene = new_scene(small)
        ballast = _fill(disk)
        with pytest.raises(DiskFull):
            _accept_many(small, scene.id)
        refused_at = len(gather(small).jobs)
        ballast.unlink()
        accept(small, scene.id)
        assert len(gather(small).jobs) == refused_at + 1
    finally:
        small.dispose()
        with psycopg.connect(admin, autocommit=True) as c:
            c.execute(b"DROP DATABASE full_disk WITH (FORCE)")
            c.execute(b"DROP TABLESPACE small")
