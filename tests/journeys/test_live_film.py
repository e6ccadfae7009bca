"""A chapter is watched while it is being filmed: by its addresses, and on the page."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from inference.video.model import Frames, ShotRequest, StepWatch, VideoModel
from inference.video.open_model import open_video_model
from scheduler.drain import Worker
from storyforge import clock
from storyforge.domain.job import Lane
from storyforge.errors import RenderFailed
from storyforge.settings import GateSettings
from tests.api.nodes import Node, make_node
from tests.journeys.browser import browsing, find_chromium, serving
from tests.pipelines.hls_checks import decoded, ffmpeg_complaints, strict_faults
from tests.scheduler.rig import FILM, PUBLISH, WRITE, FakeCamera, Rig
from tests.tiny_models.fixtures import TinyModel

PATIENCE_S = 60
FPS = 4  # the rig's; a part is two seconds, eight frames
FILM_SECONDS = 8.0


@dataclass
class SlowCamera:
    """A model that gives half of its frames, and the others when it may. fail: so many takes break."""

    model: VideoModel
    fail: int = 0
    may_end: threading.Event = field(default_factory=threading.Event)

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
        self.model.render(request, result, watch)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        if request.index == request.count - 1:
            self._hold()
        yield from self.model.frames(request, result)

    def _hold(self) -> None:
        if not self.may_end.wait(PATIENCE_S):
            raise AssertionError("nobody let the film end")
        if self.fail:
            self.fail -= 1
            self.may_end.clear()
            raise RenderFailed("This take is spoilt.")

    def close(self) -> None:
        self.model.close()


@dataclass
class SlowRig(Rig):
    """The rig with another camera in its film lane."""

    slow: SlowCamera = field(default_factory=lambda: SlowCamera(FakeCamera()))

    def worker(self, lane: Lane) -> Worker:
        worker = super().worker(lane)
        return replace(worker, tools=replace(worker.tools, video=self.slow))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path)
    yield made
    made.database.dispose()


@pytest.fixture
def rig(node: Node, tmp_path: Path) -> SlowRig:
    return SlowRig(node.database, tmp_path / "work", store=node.store, events=node.events)


@contextmanager
def being_filmed(rig: SlowRig) -> Iterator[None]:
    """The film lane works in a thread meanwhile."""
    rig.drain(WRITE)
    lane = threading.Thread(target=rig.drain, args=(FILM,))
    lane.start()
    try:
        yield
    finally:
        rig.slow.may_end.set()
        lane.join(PATIENCE_S)
        assert not lane.is_alive()


def wait_for(node: Node, job_id: str, field_name: str) -> dict[str, Any]:
    end_s = clock.monotonic_s() + PATIENCE_S
    while clock.monotonic_s() < end_s:
        job: dict[str, Any] = node.client.get(f"/v1/jobs/{job_id}").json()
        if job[field_name]:
            return job
        clock.sleep_s(0.05)
    raise AssertionError(f"job {job_id} has no {field_name}: {job}")


def rungs_of(node: Node, live_url: str) -> list[str]:
    """The addresses of the rung playlists."""
    answer = node.client.get(live_url)
    assert answer.status_code == 200, answer.text
    base = live_url.rpartition("/")[0]
    return [f"{base}/{line}" for line in answer.text.splitlines() if not line.startswith("#")]


def part_urls(playlist: str) -> list[str]:
    return re.findall(r"media/videos/\S+\.ts", playlist)


def saved(node: Node, urls: list[str], folder: Path) -> list[Path]:
    """These playlists as files for the strict parser."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, url in enumerate(urls):
        paths.append(folder / f"{number}.m3u8")
        paths[-1].write_text(node.client.get(url).text)
    return paths


def test_a_part_is_fetched_and_decoded_while_a_slow_real_model_still_decodes(
    node: Node, rig: SlowRig, tiny_model: TinyModel, tmp_path: Path
) -> None:
    rig.slow.model = open_video_model(str(tiny_model("wan.wan22_ti2v")), steps=2)
    rig.gates = GateSettings(off="noise,join")  # random weights film noise
    scene_id = node.scene()
    asked = node.ask(scene_id, targetDuration=FILM_SECONDS)
    assert asked["liveUrl"] is None
    with being_filmed(rig):
        job = wait_for(node, asked["jobId"], "liveUrl")
        assert job["status"] == "preview_ready", "nothing is committed"
        rungs = rungs_of(node, job["liveUrl"])
        growing = node.client.get(rungs[0])
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in growing.text
        assert "#EXT-X-ENDLIST" not in growing.text
        part = tmp_path / "part.ts"
        part.write_bytes(node.client.get(f"/{part_urls(growing.text)[0]}").content)
        assert len(decoded(part)) == 2 * FPS
        assert ffmpeg_complaints(part) == ""
        assert strict_faults(*saved(node, [job["liveUrl"], *rungs], tmp_path / "live")) == []
        still = node.client.get(job["liveThumbnailUrl"])
        assert (still.status_code, still.headers["content-type"]) == (200, "image/jpeg")
        assert node.client.get(f"/v1/scenes/{scene_id}/master.m3u8").status_code == 404
    ended = node.client.get(rungs[0]).text
    assert ended.startswith(growing.text)
    assert ended.endswith("#EXT-X-ENDLIST\n")
    assert len(part_urls(ended)) == FILM_SECONDS / 2
    assert any(event.job and event.job.live_url for event in node.events.events)
    rig.drain(PUBLISH)
    assert node.client.get(rungs[0]).text == ended, "the same address plays on"
    epoch = node.client.get(f"/v1/scenes/{scene_id}/playlist").json()["playlistEpoch"]
    rung = rungs[0].rpartition("/")[2]
    scenes_own = node.client.get(f"/v1/scenes/{scene_id}/p{epoch}/{rung}").text
    assert part_urls(scenes_own) == part_urls(ended)


def test_a_film_begun_anew_has_new_addresses_and_the_old_ones_say_so(
    node: Node, rig: SlowRig
) -> None:
    rig.slow.fail = 1
    job_id = node.ask(node.scene(), targetDuration=FILM_SECONDS)["jobId"]
    with being_filmed(rig):
        job = wait_for(node, job_id, "liveUrl")
        old = rungs_of(node, job["liveUrl"])
        media = part_urls(node.client.get(old[0]).text)
    assert node.client.get(f"/v1/jobs/{job_id}/master.m3u8").status_code == 410, "it is dead"
    assert node.client.post(f"/v1/jobs/{job_id}/retry").json()["liveUrl"] is None
    rig.slow.may_end.set()
    rig.drain()
    assert node.client.get(f"/v1/jobs/{job_id}").json()["status"] == "final_ready"
    new = rungs_of(node, job["liveUrl"])
    assert node.client.get(old[0]).status_code == 410
    assert not set(part_urls(node.client.get(new[0]).text)) & set(media)


def test_a_cancelled_film_is_gone(node: Node, rig: SlowRig) -> None:
    job_id = node.ask(node.scene(), targetDuration=FILM_SECONDS)["jobId"]
    assert node.client.get(f"/v1/jobs/{job_id}/master.m3u8").status_code == 404
    with being_filmed(rig):
        job = wait_for(node, job_id, "liveUrl")
        rungs = rungs_of(node, job["liveUrl"])
        node.client.post(f"/v1/jobs/{job_id}/cancel")
        for url in (job["liveUrl"], job["liveThumbnailUrl"], rungs[0]):
            assert node.client.get(url).status_code == 410
    assert node.client.get(f"/v1/jobs/{job_id}").json()["liveUrl"] is None


@pytest.mark.browser
def test_the_page_plays_a_chapter_that_is_being_filmed(node: Node, rig: SlowRig) -> None:
    scene_id = node.scene()
    node.ask(scene_id, targetDuration=FILM_SECONDS)
    with serving(node) as address, browsing(find_chromium()) as page:
        page.goto(f"{address}/scenes/{scene_id}")
        with being_filmed(rig):
            playing = page.locator("#screen video[data-live-film]")
            playing.wait_for(timeout=PATIENCE_S * 1000)
            _until(page, "v => v.currentTime > 1 && v.videoWidth === 64")
            assert not page.evaluate("Number.isFinite(document.getElementById('film').duration)")
        _until(page, "v => v.ended || v.currentTime > 7")
        rig.drain(PUBLISH)
        page.locator(".chapter").wait_for(timeout=PATIENCE_S * 1000)
        assert page.locator("video[data-live-film]").count() == 0
        assert page.evaluate("notes.csp") == []


def _until(page: Page, condition: str) -> None:
    page.wait_for_function(
        f"() => [...document.querySelectorAll('#screen video[data-live-film]')].some({condition})",
        timeout=PATIENCE_S * 1000,
    )
