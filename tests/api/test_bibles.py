"""Bibles over HTTP: read, replaced, patched; their versions, history and differences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.nodes import Node
from tests.api.test_pages import Reader
from tests.api.test_scenes import BIBLE


def _url(scene_id: str, more: str = "") -> str:
    return f"/v1/scenes/{scene_id}/bible{more}"


def _problem(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_bible_that_was_read_can_be_written_back_changed(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    read = node.client.get(_url(scene_id))
    facts = read.json() | {"synopsis": "Two friends on land.", "rules": []}
    answer = node.client.put(_url(scene_id), json=facts)
    assert answer.status_code == 200, answer.text
    assert answer.json() == facts | {"version": 2}
    assert answer.headers["etag"] != read.headers["etag"]
    assert node.client.get(_url(scene_id)).json()["synopsis"] == "Two friends on land."
    assert node.client.get(f"/v1/scenes/{scene_id}").json()["bibleVersion"] == 2


def test_a_patch_changes_what_it_names_and_nothing_else(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    before = node.client.get(_url(scene_id)).json()
    patch = {
        "version": 1,
        "characters": {
            "change": [{"id": "mara", "status": "asleep"}],
            "add": [{"id": "ben", "name": "Ben"}],
        },
        "timeline": {"add": [{"order": 1, "description": "They met.", "segmentNumber": 1}]},
        "style": {"preset": "noir"},
    }
    after = node.client.patch(_url(scene_id), json=patch).json()
    assert [one["id"] for one in after["characters"]] == ["mara", "ben"]
    assert after["characters"][0] == before["characters"][0] | {"status": "asleep"}
    assert after["timeline"][0]["segmentNumber"] == 1
    same = ("synopsis", "places", "rules")
    assert [after[name] for name in same] == [before[name] for name in same]
    scene = node.client.get(f"/v1/scenes/{scene_id}").json()
    assert scene["stylePreset"] == "noir", "the scene's look is the bible's"


def test_the_version_may_come_as_if_match(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    tag = node.client.get(_url(scene_id)).headers["etag"]
    patch, headers = {"rules": {"add": ["No names."]}}, {"if-match": tag}
    first = node.client.patch(_url(scene_id), json=patch, headers=headers)
    assert first.json()["rules"] == ["No magic.", "No names."]
    stale = node.client.patch(_url(scene_id), json=patch, headers=headers)
    assert "version 1, but the scene is at version 2" in _problem(stale, 409)["detail"]
    for wrong in ("*", '"something"', f"W/{tag}", tag.replace("-1", "-x")):
        answer = node.client.patch(_url(scene_id), json=patch, headers={"if-match": wrong})
        assert "If-Match" in _problem(answer, 409)["detail"], wrong
    both = node.client.patch(_url(scene_id), json=patch | {"version": 2}, headers=headers)
    assert _problem(both, 422)["errors"][0]["pointer"] == "/version"


@pytest.mark.parametrize(
    ("method", "body", "pointer"),
    [
        ("PUT", {}, "/version"),
        ("PUT", {"version": 0}, "/version"),
        ("PUT", {"version": 1, "magic": 1}, "/magic"),
        ("PUT", {"version": 1, "synopsis": "a\x00b"}, "/synopsis"),
        ("PUT", {"version": 1, "style": {"preset": "baroque"}}, "/style/preset"),
        (
            "PUT",
            {"version": 1, "characters": [{"id": "a", "name": "A", "x": 1}]},
            "/characters/0/x",
        ),
        ("PUT", {"version": 1, "places": [{"id": "a", "name": "A"}] * 2}, "/places"),
        ("PATCH", {}, "/version"),
        ("PATCH", {"version": 1, "sinopsis": ""}, "/sinopsis"),
        ("PATCH", {"version": 1, "style": {"preset": "baroque"}}, "/style/preset"),
        ("PATCH", {"version": 1, "rules": {"add": ["a\x00b"]}}, "/rules/add/0"),
        (
            "PATCH",
            {"version": 1, "characters": {"add": [{"id": "a", "name": "A", "x": 1}]}},
            "/characters/add/0/x",
        ),
        (
            "PATCH",
            {"version": 1, "timeline": {"add": [{"order": 1, "description": "a", "x": 1}]}},
            "/timeline/add/0/x",
        ),
        ("PATCH", {"version": 1, "characters": {"remove": ["zoe"]}}, "/characters/remove/0"),
        ("PATCH", {"version": 1, "rules": {"remove": [1]}}, "/rules/remove/0"),
    ],
)
def test_what_a_bible_cannot_be_is_named(node: Node, method: str, body: Any, pointer: str) -> None:
    scene_id = node.scene(bible=BIBLE)
    answer = node.client.request(method, _url(scene_id), json=body)
    assert _problem(answer, 422)["errors"][0]["pointer"] == pointer
    assert node.client.get(_url(scene_id)).json()["version"] == 1


def test_a_change_that_changes_nothing_makes_no_version(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    facts = node.client.get(_url(scene_id)).json()
    assert node.client.put(_url(scene_id), json=facts).json() == facts
    assert node.client.patch(_url(scene_id), json={"version": 1, "rules": {}}).json() == facts


def test_a_bible_that_a_job_builds_on_cannot_be_changed(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    job = node.ask(scene_id)
    patch = {"version": 1, "synopsis": "x"}
    answer = node.client.patch(_url(scene_id), json=patch)
    assert job["jobId"] in _problem(answer, 409)["detail"]
    node.finish(job["jobId"])
    stale = node.client.patch(_url(scene_id), json=patch)
    assert "version 1, but the scene is at version 2" in _problem(stale, 409)["detail"]
    assert node.client.patch(_url(scene_id), json=patch | {"version": 2}).status_code == 200


def test_the_history_says_who_changed_what(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    node.client.patch(_url(scene_id), json={"version": 1, "rules": {"add": ["No names."]}})
    job = node.ask(scene_id)["jobId"]
    segment = node.finish(job)
    assert node.client.delete(f"/v1/scenes/{scene_id}/segments/{segment}").status_code == 200
    first = node.client.get(_url(scene_id, "/versions?limit=3")).json()
    rest = node.client.get(_url(scene_id, f"/versions?cursor={first['nextCursor']}")).json()
    history = first["items"] + rest["items"]
    assert rest["nextCursor"] is None
    assert [(one["version"], one["origin"]) for one in history] == [
        (4, "removal"),
        (3, "job"),
        (2, "edit"),
        (1, "start"),
    ]
    assert [one["jobId"] for one in history] == [None, job, None, None]
    assert history[2]["patch"] == {"rules": {"add": ["No names."]}}
    assert history[3]["patch"] is None
    links = [one["parentHash"] for one in history]
    assert links == [one["contentHash"] for one in history[1:]] + [None]


def test_any_version_can_be_read_and_compared_with_any_other(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    node.client.patch(_url(scene_id), json={"version": 1, "rules": {"add": ["No names."]}})
    node.client.patch(_url(scene_id), json={"version": 2, "synopsis": "x"})
    assert node.client.get(_url(scene_id, "/versions/2")).json()["synopsis"] == BIBLE["synopsis"]
    forth = node.client.get(_url(scene_id, "/diff?from=1&to=3")).json()
    assert forth["patch"] == {"synopsis": "x", "rules": {"add": ["No names."]}}
    back = node.client.get(_url(scene_id, "/diff?from=3&to=1")).json()
    assert back["patch"] == {"synopsis": BIBLE["synopsis"], "rules": {"remove": [1]}}
    for path in ("/versions/4", "/diff?from=1&to=4"):
        assert "no version 4" in _problem(node.client.get(_url(scene_id, path)), 404)["detail"]
    assert node.client.get(_url(scene_id, "/diff?from=1")).status_code == 422


def test_edits_outlive_the_segment_that_was_there_when_they_were_made(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    segment = node.film(scene_id)
    edit = {"version": 2, "synopsis": "An edit.", "characters": {"add": [{"id": "z", "name": "Z"}]}}
    assert node.client.patch(_url(scene_id), json=edit).status_code == 200
    assert node.client.delete(f"/v1/scenes/{scene_id}/segments/{segment}").status_code == 200
    bible = node.client.get(_url(scene_id)).json()
    assert bible["version"] == 4
    assert bible["synopsis"] == "An edit."
    assert [one["id"] for one in bible["characters"]] == ["mara", "z"]


def test_the_timeline_of_a_bible_that_comes_in_is_put_in_order(node: Node) -> None:
    later, earlier = ({"order": n, "description": f"Event {n}."} for n in (2, 1))
    scene_id = node.scene(bible=BIBLE | {"timeline": [later, earlier]})
    timeline = node.client.get(_url(scene_id)).json()["timeline"]
    assert [event["order"] for event in timeline] == [1, 2]


def test_the_page_shows_the_facts_the_history_and_no_foreign_markup(node: Node) -> None:
    hostile = {"id": "x", "name": "<script>alert(1)</script>", "appearance": '"><img src=x>'}
    scene_id = node.scene(bible=BIBLE | {"characters": [hostile]})
    node.client.patch(_url(scene_id), json={"version": 1, "rules": {"add": ["No names."]}})
    answer = node.client.get(f"/scenes/{scene_id}/bible", headers={"accept": "text/html"})
    assert answer.status_code == 200
    reader = Reader()
    reader.feed(answer.text)
    assert reader.refused == []
    assert 'data-version="2"' in answer.text
    assert "<script>alert" not in answer.text
    assert "No magic.\nNo names." in answer.text
    assert "edited" in answer.text
    assert node.client.get("/scenes/nobody/bible").status_code == 404
