"""A small HTTP client for a node on this host: JSON in, JSON out, problems as errors."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from storyforge.errors import Rejected, StoryForgeError, Unavailable

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class NodeClient:
    """Talks to the node at `url` (http://host:port).

    Raises Unavailable when nothing answers and Rejected, with the node's own words, when the node
    answers with a problem document.
    """

    url: str
    timeout_s: float = _TIMEOUT_S

    def get(self, path: str) -> dict[str, Any]:
        """A JSON document."""
        return _as_object(self._ask("GET", path))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a JSON document; gives the answer's."""
        return _as_object(self._ask("POST", path, json.dumps(body).encode()))

    def read(self, path: str) -> bytes:
        """A file: a playlist, a media part."""
        return self._ask("GET", path)

    def is_ready(self) -> bool:
        """Whether every dependency of the node is there."""
        try:
            self._ask("GET", "/health/ready")
        except StoryForgeError:
            return False
        return True

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            address.hostname or "127.0.0.1", address.port, timeout=self.timeout_s
        )
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            raise Unavailable(
                f"The node at {self.url} does not answer ({exc.__class__.__name__}). Is it "
                "running? See the logs folder in its data directory."
            ) from exc
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise Rejected(_problem_in_words(method, path, answer.status, data))
        return data


def _as_object(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict):
        raise Rejected("The node answered with something that is not a JSON object.")
    return document


def _problem_in_words(method: str, path: str, status: int, data: bytes) -> str:
    try:
        problem = json.loads(data)
        detail = str(problem["detail"])
        fields = [f"{e['pointer']}: {e['detail']}" for e in problem.get("errors", [])]
    except (ValueError, KeyError, TypeError):
        return f"{method} {path} was answered with status {status}."
    return "; ".join([detail, *fields])
