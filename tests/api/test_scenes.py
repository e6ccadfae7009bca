"""Scenes: started, listed, read, renamed, deleted; their bibles."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.nodes import Node

BIBLE = {
    "synopsis": "Two friends at sea.",
    "characters": [{"id": "mara", "name": "Mara", "traits": ["brave"], "appearance": "red coat"}],
    "places": [{"id": "pier", "name": "The pier", "facts": ["It is old."]}],
    "rules": ["No magic."],
}


def test_a_scene_starts_with_the_bible_it_is_given(node: Node) -> None:
    answer = node.client.post("/v1/scenes", json={"stylePreset": "noir", "bible": BIBLE})
    scene = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/scenes/{scene['id']}"
    assert scene["segmentCount"] == 0
    assert scene["masterUrl"] is None
    bible = node.client.get(f"/v1/scenes/{scene['id']}/bible").json()
    assert bible["version"] == 1
    assert bible["style"]["preset"] == scene["stylePreset"] == "noir"
    assert bible["characters"][0]["appearance"] == "red coat"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"id": "mine"}, "/id"),
        ({"ownerId": "me"}, "/ownerId"),
        ({"style_preset": "noir"}, "/style_preset"),
        ({"stylePreset": "baroque"}, "/stylePreset"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "a\x1bb"}, "/title"),
        ({"bible": {"version": 3}}, "/bible/version"),
        ({"bible": {"magic": True}}, "/bible/magic"),
        ({"bible": {"style": {"preset": "baroque"}}}, "/bible/style/preset"),
        ({"bible": {"style": {"hue": 1}}}, "/bible/style/hue"),
        ({"bible": {"synopsis": "a\x00b"}}, "/bible/synopsis"),
        ({"bible": {"rules": ["ok", "a\x00b"]}}, "/bible/rules/1"),
        ({"bible": {"characters": [{"id": "a b", "name": "A"}]}}, "/bible/characters/0/id"),
        ({"bible": {"characters": [{"id": "a", "name": ""}]}}, "/bible/characters/0/name"),
        ({"bible": {"characters": [{"id": "a", "name": "A", "x": 1}]}}, "/bible/characters/0/x"),
        ({"bible": {"places": [{"id": "a", "name": "A"}] * 2}}, "/bible/places"),
        ({"stylePreset": "ink", "bible": {"style": {"preset": "noir"}}}, "/stylePreset"),
    ],
)
def test_what_a_scene_cannot_be_is_named(node: Node, body: Any, pointer: str) -> None:
    answer = node.client.post("/v1/scenes", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert node.client.get("/v1/scenes").json()["items"] == []


def test_scenes_are_listed_newest_first_in_pages(node: Node) -> None:
    made = [node.scene(title=f"Story {number}") for number in range(5)]
    seen, cursor = [], ""
    while True:
        page = node.client.get(f"/v1/scenes?limit=2{cursor}").json()
        seen += [scene["id"] for scene in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == made[::-1]


def test_an_unchanged_scene_is_a_304(node: Node) -> None:
    scene_id = node.scene()
    url = f"/v1/scenes/{scene_id}"
    tag = node.client.get(url).headers["etag"]
    again = node.client.get(url, headers={"if-none-match": f'"x", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    node.ask(scene_id)
    assert node.client.get(url, headers={"if-none-match": tag}).status_code == 200


def test_only_the_title_can_be_changed(node: Node) -> None:
    scene_id = node.scene()
    url = f"/v1/scenes/{scene_id}"
    renamed = node.client.patch(url, json={"title": "  The\n last  boat "})
    assert renamed.json()["title"] == "The last boat"
    for body in ({}, {"title": " "}, {"title": "x", "revision": 9}, {"title": None}):
        assert node.client.patch(url, json=body).status_code == 422
    assert node.client.get(url).json()["title"] == "The last boat"


def test_a_deleted_scene_is_gone_and_its_jobs_are_cancelled(node: Node) -> None:
    scene_id = node.scene()
    job = node.ask(scene_id)
    assert node.client.delete(f"/v1/scenes/{scene_id}").status_code == 204
    for path in ("", "/bible", "/playlist", "/master.m3u8"):
        assert node.client.get(f"/v1/scenes/{scene_id}{path}").status_code == 404
    assert node.client.delete(f"/v1/scenes/{scene_id}").status_code == 404
    assert node.client.get(f"/v1/jobs/{job['jobId']}").json()["status"] == "cancelled"
    assert node.client.get("/v1/scenes").json()["items"] == []


def test_every_version_of_the_bible_can_be_read(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    node.film(scene_id)
    url = f"/v1/scenes/{scene_id}/bible"
    assert node.client.get(url).json()["version"] == 2
    first = node.client.get(f"{url}?version=1")
    assert first.json()["synopsis"] == "Two friends at sea."
    same = node.client.get(f"{url}?version=1", headers={"if-none-match": first.headers["etag"]})
    assert same.status_code == 304
    assert node.client.get(f"{url}?version=3").status_code == 404
    assert node.client.get(f"{url}?version=0").status_code == 422
    assert node.client.get(f"/v1/scenes/{uuid4()}/bible").status_code == 404
