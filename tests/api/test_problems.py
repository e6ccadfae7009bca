"""Every error has its problem document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import problems
from api.guards import SECURITY_HEADERS, OutermostGuard
from storyforge.errors import (
    Broken,
    FieldError,
    InvalidInput,
    RangeNotSatisfiable,
    Rejected,
    StoryForgeError,
    Unavailable,
)
from tests.api.nodes import BASE, Node


def every_kind(root: type[StoryForgeError] = StoryForgeError) -> Iterator[type[StoryForgeError]]:
    yield root
    for kind in root.__subclasses__():
        yield from every_kind(kind)


KINDS = sorted(set(every_kind()), key=lambda kind: kind.__name__)


def example(kind: type[StoryForgeError]) -> StoryForgeError:
    if issubclass(kind, RangeNotSatisfiable):
        return kind("Which and what next.", 17)
    if issubclass(kind, InvalidInput):
        return kind("Which and what next.", [FieldError("/text", "Wrong.")])
    return kind("Which and what next.")


def answer_to(error: BaseException, **headers: str) -> Any:
    app = FastAPI()
    problems.install(app)

    @app.get("/v1/fails")
    def fails() -> None:
        raise error

    app.add_middleware(OutermostGuard)
    return TestClient(app, base_url=BASE).get("/v1/fails", headers=headers)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_of_the_taxonomy_is_a_problem_document(kind: type[StoryForgeError]) -> None:
    answer = answer_to(example(kind))
    problem = answer.json()
    assert answer.status_code == problem["status"] == kind.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == kind.code
    assert problem["title"] == kind.title
    assert problem["detail"] == "Which and what next."
    assert problem["type"].endswith(kind.code)
    assert problem["instance"] == answer.headers["x-request-id"] != ""
    assert ("retry-after" in answer.headers) == issubclass(kind, Unavailable)
    assert ("retry_after_s" in problem) == issubclass(kind, Unavailable)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_statuses_follow_the_three_branches(kind: type[StoryForgeError]) -> None:
    if issubclass(kind, Rejected):
        assert 400 <= kind.status < 500
    elif issubclass(kind, Unavailable):
        assert kind.status == 503
    elif issubclass(kind, Broken):
        assert kind.status == 500


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(codes) == len(set(codes))


def test_fields_ranges_and_waits_are_told() -> None:
    fields = answer_to(InvalidInput("Bad.", [FieldError("/a/0", "Wrong.")])).json()["errors"]
    assert fields == [{"pointer": "/a/0", "detail": "Wrong."}]
    past_end = answer_to(RangeNotSatisfiable("Past the end.", 17))
    assert past_end.headers["content-range"] == "bytes */17"
    busy = answer_to(Unavailable("Busy.", retry_after_s=0.2))
    assert busy.headers["retry-after"] == "1"
    assert busy.json()["retry_after_s"] == 0.2


def test_what_nobody_foresaw_says_nothing_of_itself_and_has_all_headers() -> None:
    answer = answer_to(RuntimeError("secret /path"))
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text
    for name in SECURITY_HEADERS:
        assert name in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/scenes/", 404, "not_found"),
        ("DELETE", "/v1/jobs", 405, "method_not_allowed"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/openapi.json", 404, "not_found"),
        ("GET", "/v1/jobs?limit=0", 422, "invalid_input"),
        ("GET", "/v1/jobs?state=gone", 422, "invalid_input"),
        ("GET", "/v1/jobs/42", 422, "invalid_input"),
        ("GET", "/v1/scenes?cursor=x", 422, "invalid_input"),
        ("GET", "/static/nothing.js", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
    ],
)
def test_routing_errors_are_problems_too(
    node: Node, method: str, path: str, status: int, code: str
) -> None:
    answer = node.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 405:
        assert answer.headers["allow"] == "GET"


def test_people_get_a_page_and_programs_a_document(node: Node) -> None:
    path = "/scenes/<script>alert(1)"
    page = node.client.get(path, headers={"accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in page.text
    assert page.headers["x-request-id"] in page.text
    assert node.client.get(path).json()["code"] == "not_found"
    machine = node.client.get("/v1/jobs/42", headers={"accept": "text/html"})
    assert machine.headers["content-type"] == "application/problem+json"


def test_a_database_that_is_away_is_a_503_and_comes_back(node: Node) -> None:
    scene_id = node.scene()
    path = node.settings.node.data_dir / "storyforge.db"
    node.database.dispose()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    answer = node.client.post(f"/v1/scenes/{scene_id}/continue", json={"text": "ok"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")
    assert answer.headers["retry-after"] == "5"
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert node.client.get(f"/v1/scenes/{scene_id}").status_code == 200
    assert node.client.get("/v1/jobs").json()["items"] == []
