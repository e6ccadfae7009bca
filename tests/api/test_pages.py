"""The pages as the server renders them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from uuid import UUID

import pytest

from tests.api.nodes import Node
from tests.api.test_jobs import fail

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def page(node: Node, path: str) -> str:
    answer = node.client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


class Reader(HTMLParser):
    """Reads a page as a browser does and keeps what the content policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.refused += [f"{tag} {name}" for name in values if name.startswith(("on", "style"))]
        if tag == "script" and not (values.get("src") or "").startswith("/static/"):
            self.refused.append("inline script")
        if tag == "img" and not (values.get("src") or "").startswith("/media/"):
            self.refused.append("foreign image")
        if tag == "style":
            self.refused.append("inline style")


def assert_safe(html: str) -> None:
    """No markup that came from outside, and nothing that the content policy would refuse."""
    reader = Reader()
    reader.feed(html)
    assert reader.refused == []


def test_the_first_page_of_an_empty_node_says_where_to_start(node: Node) -> None:
    html = page(node, "/")
    assert "How does it begin?" in html
    assert "Nothing filmed yet" in html
    assert_safe(html)


def test_hostile_texts_stay_texts(node: Node) -> None:
    scene_id = node.scene(title=HOSTILE)
    node.film(scene_id, HOSTILE)
    node.ask(scene_id, HOSTILE)
    node.ask(scene_id, HOSTILE)
    fail(node, node.ask(node.scene(), HOSTILE)["jobId"])
    for path in (
        "/",
        f"/scenes/{scene_id}",
        f"/scenes/{scene_id}/chapters",
        f"/scenes/{scene_id}/jobs",
        f"/scenes/{scene_id}/card",
    ):
        html = page(node, path)
        assert_safe(html)
        if path != "/":
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_scene_shows_its_chapters_and_jobs(node: Node) -> None:
    scene_id = node.scene(title="The boat")
    segment_id = node.film(scene_id, "A boat comes.")
    job_id = node.ask(scene_id, "It burns.")["jobId"]
    html = page(node, f"/scenes/{scene_id}")
    assert f'data-segment="{segment_id}"' in html
    assert f'data-job="{job_id}"' in html
    assert "A boat comes." in html
    assert "It burns." in html
    assert 'data-count="1"' in html
    fail(node, job_id)
    jobs = page(node, f"/scenes/{scene_id}/jobs")
    assert "Black frames." in jobs
    assert 'data-act="retry"' in jobs
    node.client.post(f"/v1/jobs/{job_id}/discard")
    assert "Black frames." not in page(node, f"/scenes/{scene_id}/jobs")


def test_chapters_come_in_pages_and_only_the_last_can_be_removed(node: Node) -> None:
    scene_id = node.scene()
    for number in range(14):
        node.film(scene_id, f"Part {number}.")
    html = page(node, f"/scenes/{scene_id}")
    assert html.count("data-segment=") == 12
    assert 'data-after="12"' in html
    assert "data-retake" not in html
    rest = page(node, f"/scenes/{scene_id}/chapters?after=12")
    assert rest.count("data-segment=") == 2
    assert rest.count("data-retake") == 1
    assert "data-after" not in rest


def test_the_list_shows_lengths_live_jobs_and_failures(node: Node) -> None:
    filmed, failed = node.scene(title="Filmed"), node.scene(title="Failed")
    node.film(filmed)
    node.film(filmed)
    node.ask(filmed)
    fail(node, node.ask(failed)["jobId"])
    html = page(node, "/")
    assert "0:12" in html
    assert "2 chapters" in html
    assert html.count("<progress") == 1
    assert html.count("a chapter failed") == 1


def test_the_list_goes_on_in_pages(node: Node) -> None:
    made = [node.scene(title=f"Story {number}") for number in range(26)]
    html = page(node, "/")
    assert html.count('class="card"') == 24
    older = re.search(r'href="(/\?cursor=[^"]+)"', html)
    assert older is not None
    rest = page(node, older.group(1))
    assert {UUID(one) for one in re.findall(r'data-scene="([^"]+)"', rest)} == {
        UUID(one) for one in made[:2]
    }


@pytest.mark.parametrize("scene", ["01a00000-0000-7000-8000-000000000000", "nonsense", "%00"])
def test_a_scene_that_is_not_there_is_a_404_page(node: Node, scene: str) -> None:
    answer = node.client.get(f"/scenes/{scene}", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "All stories" in answer.text


def test_scripts_and_styles_are_served_with_their_types(node: Node) -> None:
    for name, kind in (("app.css", "text/css"), ("scene.js", "javascript"), ("icon.svg", "svg")):
        answer = node.client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert answer.headers["etag"]
