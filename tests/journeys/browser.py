"""A real server and a real Chromium for the page tests."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from api.frontend_install import is_installed
from pipelines.encoding.hls import encode_hls
from storyforge.domain.segment import EncodedSegment, HlsProfile, Rung
from storyforge.ids import uuid7
from storyforge.storage import Bucket
from tests.api.nodes import Node

PROFILE = HlsProfile(
    fps=12,
    rungs=(Rung(name="180p", width=320, height=180), Rung(name="90p", width=160, height=90)),
)
# What every page notes: refused by the content policy, waiting for data, frames put on screen.
_NOTES = """
window.notes = {csp: [], waits: [], frames: []};
document.addEventListener('securitypolicyviolation',
  (e) => notes.csp.push(`${e.violatedDirective} ${e.blockedURI}`));
document.addEventListener('DOMContentLoaded', () => {
  const film = document.getElementById('film');
  if (!film) return;
  film.addEventListener('waiting', () => notes.waits.push(film.currentTime));
  const note = (_, frame) => {
    notes.frames.push({time: frame.mediaTime, count: frame.presentedFrames});
    film.requestVideoFrameCallback(note);
  };
  film.requestVideoFrameCallback(note);
});
"""


def find_chromium() -> str:
    """The path of Chromium; skips without one, but not in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
    missing = [] if found else ["Chromium (apt-get install chromium)"]
    if not is_installed():
        missing.append("the player (python -m api.frontend_install)")
    if missing:
        message = f"the page tests need {' and '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    assert found is not None
    return found


@contextmanager
def serving(node: Node) -> Iterator[str]:
    """The node's app on a free loopback port; gives its address."""
    config = uvicorn.Config(
        node.app, host="127.0.0.1", port=0, log_config=None, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


@contextmanager
def browsing(chromium: str) -> Iterator[Page]:
    """A page of a fresh headless Chromium that takes notes."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(_NOTES)
        yield page
        browser.close()


def film(node: Node, scene_id: str, folder: Path, *, seconds: int, text: str = "A light.") -> str:
    """One more segment with real media: a bar that moves over a changing ground."""
    job_id = node.ask(scene_id, text)["jobId"]
    segment_id = uuid7()
    into = folder / str(segment_id)
    media = encode_hls(
        [_frames(seconds * PROFILE.fps)],
        PROFILE,
        into,
        preset="ultrafast",
        on_frames=lambda _: None,
    )
    _publish(node, scene_id, media, into, str(segment_id))
    return node.finish(job_id, media, segment_id)


def _frames(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    frames = np.zeros((count, 180, 320, 3), np.uint8)
    for number in range(count):
        frames[number, :, :, 2] = 60 + number % 120
        at = number * 4 % 300
        frames[number, :, at : at + 20] = (240, 180, 90)
    return frames


def _publish(
    node: Node, scene_id: str, media: EncodedSegment, folder: Path, segment_id: str
) -> None:
    for file in media.files:
        node.store.put_file(
            Bucket.VIDEOS,
            f"videos/{scene_id}/{segment_id}/{file.path}",
            folder / file.path,
            content_type=file.content_type,
            sha256=file.sha256,
        )
