"""Problem documents (RFC 9457): every answer that is not a success, in one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.problem_page import problem_page, wants_page
from storyforge.errors import (
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RangeNotSatisfiable,
    Rejected,
    StoryForgeError,
    Unavailable,
)

PROBLEM_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Problem:
    """One problem document with the headers that belong to it."""

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """The JSON body; `instance` is the request id."""
        body: dict[str, Any] = {
            "type": f"urn:storyforge:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in self.errors]
        if self.retry_after_s is not None:
            body["retry_after_s"] = self.retry_after_s
        return body | dict(self.extra)


def problem_of(error: StoryForgeError) -> Problem:
    """The document for one of our own errors; their details are public."""
    headers: dict[str, str] = {}
    retry_after_s = error.retry_after_s if isinstance(error, Unavailable) else None
    if retry_after_s is not None:
        headers["Retry-After"] = str(max(1, ceil(retry_after_s)))
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size_bytes}"
    errors = error.errors if isinstance(error, InvalidInput) else ()
    return Problem(
        error.status, error.code, error.title, error.detail, errors, retry_after_s, headers
    )


UNEXPECTED = Problem(
    500,
    "internal",
    "Unexpected error",
    "Something went wrong that we did not foresee. The log has the details under this request's "
    "id (instance).",
)


def problem_response(connection: HTTPConnection, problem: Problem) -> Response:
    """The answer: JSON, or a small page for a browser on one of our pages."""
    instance = request_id(connection)
    if wants_page(connection):
        return problem_page(
            problem.status, problem.title, problem.detail, instance, problem.headers
        )
    # ASCII only: a detail may quote what cannot be encoded (a lone surrogate)
    body = json.dumps(problem.document(instance), ensure_ascii=True).encode()
    return Response(body, problem.status, dict(problem.headers), PROBLEM_TYPE)


def request_id(connection: HTTPConnection) -> str:
    """The id that the outermost guard gave this request."""
    return str(connection.scope.get("state", {}).get("request_id", ""))


def install(app: FastAPI) -> None:
    """Answer our errors, validation errors and routing errors as problem documents.

    Anything else reaches the outermost guard, which answers `UNEXPECTED`.
    """
    app.add_exception_handler(StoryForgeError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _routing)


def _ours(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, StoryForgeError)
    problem = problem_of(exc)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request failed", code=problem.code, detail=problem.detail)
    return problem_response(request, problem)


def _validation(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    found = exc.errors()
    broken = next((one for one in found if one["type"] == "json_invalid"), None)
    if broken is not None:
        at = broken["loc"][-1]
        reason = broken.get("ctx", {}).get("error", "syntax error")
        return problem_response(
            request,
            problem_of(Rejected(f"The body is not valid JSON: {reason} at character {at}.")),
        )
    errors = [FieldError(_pointer(one["loc"]), _sentence(one)) for one in found]
    first = errors[0]
    more = f" ({len(errors) - 1} more below.)" if len(errors) > 1 else ""
    detail = f"{first.pointer or 'The body'}: {first.detail}{more}"
    return problem_response(request, problem_of(InvalidInput(detail, errors)))


def _routing(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(request, problem_of(NotFound(_no_route(request))))
    if exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (exc.headers or {}).get("Allow", "")
        detail = f"{request.method} is not possible here; allowed: {allowed}."
        return problem_response(
            request,
            Problem(
                405, "method_not_allowed", "Method not allowed", detail, headers=exc.headers or {}
            ),
        )
    if exc.status_code == HTTPStatus.BAD_REQUEST:
        return problem_response(
            request, problem_of(Rejected("The body could not be read as JSON."))
        )
    if exc.status_code == HTTPStatus.FORBIDDEN:
        return problem_response(request, problem_of(Forbidden("This is not allowed.")))
    phrase = HTTPStatus(exc.status_code).phrase
    problem = Problem(exc.status_code, phrase.lower().replace(" ", "_"), phrase, phrase + ".")
    return problem_response(request, problem)


def _no_route(request: Request) -> str:
    return f"Nothing is at {request.url.path[:200]}. The address may be mistyped."


def _pointer(loc: Sequence[str | int]) -> str:
    """A JSON pointer into the body; for parameters where they are and their name."""
    where, *rest = [str(step) for step in loc]
    if where == "body":
        return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in rest)
    return f"{where}:{'.'.join(rest)}"


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field here; check its name or leave it out."
    message = str(error["msg"]).removeprefix("Value error, ")
    return message if message.endswith(".") else message + "."
