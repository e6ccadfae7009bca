"""The page in a real Chromium: the film plays frame by frame, and grows while it plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.api.nodes import Node, make_node
from tests.journeys.browser import PROFILE, browsing, film, find_chromium, serving

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
PLAYS = 3  # a busy machine drops a frame now and then, but not in every play


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path)
    yield made
    made.database.dispose()


@pytest.fixture
def page() -> Iterator[Page]:
    with browsing(find_chromium()) as opened:
        yield opened


def play(page: Page) -> None:
    """As a person does: once the page stands there with its first picture."""
    page.wait_for_function(
        "() => document.getElementById('film').readyState === 4", timeout=PATIENCE_MS
    )
    page.wait_for_timeout(500)
    page.evaluate("document.getElementById('film').play()")


def wait_until_seen(page: Page, seconds: float) -> None:
    """Until the film has played up to that second."""
    page.wait_for_function(
        "(s) => document.getElementById('film').currentTime > s - 0.2",
        arg=seconds,
        timeout=PATIENCE_MS,
    )


def wait_until_over(page: Page, seconds: float) -> None:
    """Until the film stands still at its end, with its last frame on the screen."""
    wait_until_seen(page, seconds)
    page.wait_for_timeout(1000)


def playback(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """() => {
          const film = document.getElementById('film');
          const quality = film.getVideoPlaybackQuality();
          const buffered = [];
          for (let i = 0; i < film.buffered.length; i += 1)
            buffered.push([film.buffered.start(i), film.buffered.end(i)]);
          return {...notes, buffered, duration: film.duration, dropped: quality.droppedVideoFrames,
                  total: quality.totalVideoFrames, error: film.error && film.error.message};
        }"""
    )
    return found


def assert_whole(found: dict[str, Any], seconds: float, *, ended: bool) -> None:
    """Every frame on screen once and in order, one buffered range, no stop before the end.

    ended: the playlist says that it ends. Otherwise a decoder keeps the last frame back until it
    knows what follows.
    """
    frames = round(seconds * PROFILE.fps)
    assert found["csp"] == []
    assert found["error"] is None
    missing = frames - found["frames"][-1]["count"]
    # what a busy machine dropped it says itself
    assert 0 <= missing <= found["dropped"] + (0 if ended else 1)
    times = [frame["time"] for frame in found["frames"]]
    assert times == sorted(set(times)), "a frame came twice or out of order"
    assert len(found["buffered"]) == 1
    start, end = found["buffered"][0]
    assert start < 0.1
    assert end == pytest.approx(seconds, abs=0.15)
    assert [at for at in found["waits"] if 0.3 < at < seconds - 0.4] == []


def test_two_segments_play_to_their_end(node: Node, page: Page, tmp_path: Path) -> None:
    scene_id = node.scene()
    for text in ("One.", "Two."):
        film(node, scene_id, tmp_path / "work", seconds=4, text=text)
    with serving(node) as address:
        for _ in range(PLAYS):
            page.goto(f"{address}/scenes/{scene_id}?rev=2")
            play(page)
            page.wait_for_function(
                "() => document.getElementById('film').ended", timeout=PATIENCE_MS
            )
            found = playback(page)
            assert_whole(found, 8, ended=True)
            if found["dropped"] == 0:
                break
        assert found["dropped"] == 0, "frames were dropped in every play"


def test_an_open_film_waits_at_its_end_and_goes_on_with_the_next_segment(
    node: Node, page: Page, tmp_path: Path
) -> None:
    scene_id = node.scene()
    for text in ("One.", "Two."):
        film(node, scene_id, tmp_path / "work", seconds=4, text=text)
    with serving(node) as address:
        page.goto(f"{address}/scenes/{scene_id}")
        play(page)
        wait_until_over(page, 8)
        page.get_by_text("The story goes no further yet.").wait_for(timeout=PATIENCE_MS)
        assert_whole(playback(page), 8, ended=False)

        film(node, scene_id, tmp_path / "work", seconds=4, text="Three.")
        page.get_by_text("Chapter 3", exact=False).first.wait_for(timeout=PATIENCE_MS)
        wait_until_over(page, 12)
        found = playback(page)
        assert [at for at in found["waits"] if 8.3 < at < 11.6] == []
        assert found["frames"][-1]["count"] + found["dropped"] >= 12 * PROFILE.fps - 1
        assert len(found["buffered"]) == 1


def test_a_segment_that_lands_while_the_film_plays_is_played_without_a_stop(
    node: Node, page: Page, tmp_path: Path
) -> None:
    scene_id = node.scene()
    film(node, scene_id, tmp_path / "work", seconds=8)
    with serving(node) as address:
        page.goto(f"{address}/scenes/{scene_id}")
        play(page)
        wait_until_seen(page, 1)
        film(node, scene_id, tmp_path / "work", seconds=4)
        wait_until_over(page, 12)
        assert_whole(playback(page), 12, ended=False)


def test_a_story_is_started_continued_and_cancelled_from_the_pages(node: Node, page: Page) -> None:
    with serving(node) as address:
        page.goto(address)
        page.get_by_label("The beginning of the story").fill("A fox <b>finds</b> a key.")
        page.get_by_role("radio", name="Noir").check()
        page.get_by_text("Who is in it?").click()
        page.get_by_role("button", name="Add someone").click()
        page.get_by_label("Name").fill("Ada Fox")
        page.get_by_role("button", name="Film it").click()
        page.wait_for_url("**/scenes/*")
        assert page.get_by_label("Title of the story").input_value() == "A fox <b>finds</b> a key"
        page.get_by_text("In the making").wait_for()

        scene = node.client.get("/v1/scenes").json()["items"][0]
        bible = node.client.get(f"/v1/scenes/{scene['id']}/bible").json()
        assert scene["stylePreset"] == "noir"
        assert [(one["id"], one["name"]) for one in bible["characters"]] == [("ada-fox", "Ada Fox")]

        page.get_by_role("textbox", name="What happens next").fill("It opens a door.")
        page.keyboard.press("Control+Enter")
        page.get_by_role("heading", name="Waiting").wait_for()
        assert len(node.client.get("/v1/jobs").json()["items"]) == 2

        first = page.locator(".job.live")
        first.get_by_role("button", name="Cancel").click()
        page.get_by_role("heading", name="Held back").wait_for()
        page.get_by_role("button", name="Try again").click()
        page.locator(".job.live", has_text="It opens a door.").wait_for()

        node.finish(page.locator(".job.live").get_attribute("data-job") or "")
        page.locator(".chapter", has_text="It opens a door.").wait_for()
        assert page.evaluate("notes.csp") == []


def test_the_page_says_what_the_node_refuses(node: Node, page: Page) -> None:
    scene_id = node.scene()
    with serving(node) as address:
        page.goto(f"{address}/scenes/{scene_id}")
        page.get_by_role("button", name="Continue the story").click()
        page.get_by_text("Write a few words first.").wait_for()
        page.get_by_role("textbox", name="What happens next").fill("...")
        page.get_by_role("button", name="Continue the story").click()
        page.get_by_text("write at least one word").wait_for()


def test_deleting_a_story_takes_its_open_page_home(node: Node, page: Page) -> None:
    scene_id = node.scene(title="Short lived")
    with serving(node) as address:
        page.goto(f"{address}/scenes/{scene_id}")
        page.get_by_role("button", name="Delete").first.click()
        page.get_by_role("button", name="Keep it").click()
        assert node.client.get(f"/v1/scenes/{scene_id}").status_code == 200
        page.get_by_role("button", name="Delete").first.click()
        page.locator("#ask-yes").click()
        page.wait_for_url(f"{address}/")
        assert node.client.get(f"/v1/scenes/{scene_id}").status_code == 404
