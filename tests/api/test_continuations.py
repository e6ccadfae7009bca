"""Accepting continuations: what is refused, what is durable, what a replay gives."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from storyforge.domain.job import Lane
from tests.api.nodes import Node


def post(node: Node, scene_id: str, body: Any, **headers: str) -> Any:
    return node.client.post(
        f"/v1/scenes/{scene_id}/continue",
        content=json.dumps(body),  # escapes what is not ASCII, lone surrogates included
        headers={"Content-Type": "application/json", **headers},
    )


def test_an_accepted_continuation_is_a_row_a_wake_up_and_an_event(node: Node) -> None:
    scene_id = node.scene(stylePreset="noir")
    answer = post(node, scene_id, {"text": "  A door opens.\r\nRain. ", "seed": 7})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['jobId']}"
    assert job["status"] == "queued"
    assert job["text"] == "A door opens.\nRain."
    assert job["config"] == {
        "targetDuration": 8.0,
        "stylePreset": "noir",
        "voicePreset": "",
        "seed": 7,
    }
    assert node.wake_ups.lanes == [Lane.WRITE]
    assert [str(event.job.job_id) for event in node.events.events if event.job] == [job["jobId"]]
    assert node.client.get(answer.headers["location"]).json()["jobId"] == job["jobId"]


@pytest.mark.parametrize(
    ("body", "status", "pointer", "says"),
    [
        ({"text": ""}, 422, "/text", "at least one word"),
        ({"text": " \n\t\u200b\ufeff "}, 422, "/text", "at least one word"),
        ({"text": "...?!"}, 422, "/text", "at least one word"),
        ({"text": "a\x07b"}, 422, "/text", "U+0007"),
        ({"text": "a\x00b"}, 422, "/text", "Character 2"),
        ({"text": "a\ud800b"}, 422, "/text", "U+D800"),
        ({"text": "word " * 20_000}, 413, None, "8000"),
        ({}, 422, "/text", "required"),
        ({"text": 5}, 422, "/text", "string"),
        ({"text": "ok", "targetDuration": -3}, 422, "/targetDuration", "1 to 120"),
        ({"text": "ok", "targetDuration": 1e9}, 422, "/targetDuration", "1 to 120"),
        ({"text": "ok", "targetDuration": "long"}, 422, "/targetDuration", "number"),
        ({"text": "ok", "stylePreset": "baroque"}, 422, "/stylePreset", "storybook, noir"),
        ({"text": "ok", "voicePreset": "shouting"}, 422, "/voicePreset", "none, narrator"),
        ({"text": "ok", "seed": -1}, 422, "/seed", "0"),
        ({"text": "ok", "seed": 2**32}, 422, "/seed", "4294967296"),
        ({"text": "ok", "bibleVersion": 0}, 422, "/bibleVersion", "1"),
        ({"text": "ok", "bibleVersion": 2**40}, 422, "/bibleVersion", "2147483647"),
        ({"text": "ok", "afterJobId": "42"}, 422, "/afterJobId", "UUID"),
        ({"text": "ok", "epoch": 9}, 422, "/epoch", "no such field"),
        ({"text": "ok", "owner_id": "me"}, 422, "/owner_id", "no such field"),
        ({"text": "ok", "a~b/c\ud800": 1}, 422, "/a~0b~1c\\ud800", "U+D800"),
        ([], 422, "", ""),
        ("text", 422, "", ""),
    ],
)
def test_bad_input_is_refused_by_name_and_leaves_nothing(
    node: Node, body: Any, status: int, pointer: str | None, says: str
) -> None:
    scene_id = node.scene()
    answer = post(node, scene_id, body)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in str(problem)
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert node.client.get("/v1/jobs").json()["items"] == []
    assert node.wake_ups.lanes == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 5000])
def test_numbers_that_are_none_are_refused(node: Node, number: str) -> None:
    scene_id = node.scene()
    answer = node.client.post(
        f"/v1/scenes/{scene_id}/continue",
        content=f'{{"text": "ok", "targetDuration": {number}}}',
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}, answer.text
    assert math.isfinite(answer.json()["status"])


@pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"text": "a', "\xff"])
def test_a_body_that_is_not_json_is_refused(node: Node, content: str) -> None:
    scene_id = node.scene()
    answer = node.client.post(
        f"/v1/scenes/{scene_id}/continue",
        content=content.encode("latin-1"),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "rejected"


def test_a_deeply_nested_body_is_refused(node: Node) -> None:
    body: Any = "x"
    for _ in range(60):
        body = [body]
    answer = post(node, node.scene(), {"text": body})
    assert answer.status_code == 422


def test_unknown_and_malformed_scenes_are_told_apart(node: Node) -> None:
    unknown = post(node, str(uuid4()), {"text": "ok"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    malformed = post(node, "not-an-id", {"text": "ok"})
    assert malformed.status_code == 422
    assert malformed.json()["errors"][0]["pointer"] == "path:scene_id"


def test_a_stale_bible_version_names_both_versions(node: Node) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    answer = post(node, scene_id, {"text": "ok", "bibleVersion": 1})
    assert answer.status_code == 409
    assert "bibleVersion 1" in answer.json()["detail"]
    assert "at version 2" in answer.json()["detail"]
    assert post(node, scene_id, {"text": "ok", "bibleVersion": 2}).status_code == 202


def test_a_version_that_is_being_continued_is_a_conflict_that_says_whom_to_follow(
    node: Node,
) -> None:
    scene_id = node.scene()
    live = node.ask(scene_id)["jobId"]
    answer = post(node, scene_id, {"text": "ok", "bibleVersion": 1})
    assert answer.status_code == 409
    assert f"afterJobId {live}" in answer.json()["detail"]
    followed = post(node, scene_id, {"text": "ok", "afterJobId": live})
    assert followed.status_code == 202
    assert followed.json()["state"] == "waiting"
    taken = post(node, scene_id, {"text": "ok", "afterJobId": live})
    assert taken.status_code == 409


def test_a_foreign_after_job_is_not_found(node: Node) -> None:
    other = node.ask(node.scene())["jobId"]
    answer = post(node, node.scene(), {"text": "ok", "afterJobId": other})
    assert answer.status_code == 404


def test_the_same_key_gives_the_same_job(node: Node) -> None:
    scene_id = node.scene()
    first = post(node, scene_id, {"text": "ok"}, **{"Idempotency-Key": "k1"})
    again = post(node, scene_id, {"text": "ok"}, **{"Idempotency-Key": "k1"})
    assert again.status_code == first.status_code == 202
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


def test_the_same_key_with_another_body_or_scene_is_refused(node: Node) -> None:
    scene_id = node.scene()
    post(node, scene_id, {"text": "ok"}, **{"Idempotency-Key": "k1"})
    for other_scene, text in ((scene_id, "other"), (node.scene(), "ok")):
        answer = post(node, other_scene, {"text": text}, **{"Idempotency-Key": "k1"})
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
    assert len(node.client.get("/v1/jobs").json()["items"]) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "k\xe9y"])
def test_a_malformed_key_is_refused(node: Node, key: str) -> None:
    answer = node.client.post(
        f"/v1/scenes/{node.scene()}/continue",
        json={"text": "ok"},
        headers={b"Idempotency-Key": key.encode("latin-1")},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "header:Idempotency-Key"


def test_twenty_requests_at_once_with_one_key_make_one_job(node: Node) -> None:
    scene_id = node.scene()

    def send(_: int) -> Any:
        return post(node, scene_id, {"text": "ok"}, **{"Idempotency-Key": "k1"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["jobId"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(node.client.get("/v1/jobs").json()["items"]) == 1


def test_a_retake_repeats_the_text_with_another_seed(node: Node) -> None:
    scene_id = node.scene(stylePreset="ink")
    job = node.ask(scene_id, "An owl wakes.", targetDuration=5, seed=1)
    segment_id = node.finish(job["jobId"])
    url = f"/v1/scenes/{scene_id}/segments/{segment_id}/retake"
    answer = node.client.post(url, headers={"Idempotency-Key": "again"})
    retake = answer.json()
    assert answer.status_code == 202, retake
    assert retake["kind"] == "retake"
    assert retake["text"] == "An owl wakes."
    assert retake["config"]["targetDuration"] == 5
    assert retake["config"]["stylePreset"] == "ink"
    assert retake["config"]["seed"] != 1
    assert node.client.post(url).status_code == 409  # its scene is not quiet
    node.finish(retake["jobId"])
    replay = node.client.post(url, headers={"Idempotency-Key": "again"})
    assert replay.json()["jobId"] == retake["jobId"]
    assert replay.headers["idempotency-replayed"] == "true"
    assert node.client.post(url).status_code == 404  # it was replaced


def test_only_the_last_segment_can_be_taken_again_or_away(node: Node) -> None:
    scene_id = node.scene()
    first, second = node.film(scene_id), node.film(scene_id, "It stops.")
    base = f"/v1/scenes/{scene_id}/segments"
    assert node.client.post(f"{base}/{first}/retake", json={}).status_code == 409
    assert node.client.delete(f"{base}/{first}").status_code == 409
    gone = node.client.delete(f"{base}/{second}")
    assert gone.status_code == 200
    assert gone.json()["segmentCount"] == 1
    assert gone.json()["playlistEpoch"] == 2
    assert node.client.delete(f"{base}/{second}").status_code == 404
    assert any(event.kind == "scene" for event in node.events.events)
