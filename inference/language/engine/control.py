"""What is asked of a running vLLM beside text: sleep, wake, drain, its figures, a sign of life."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import httpx2

from inference.language.engine.figures import read_figures
from storyforge import clock
from storyforge.errors import InvalidInput, ModelLoading, Unavailable, WriterUnreachable

_RUNNING, _WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
_POLL_S = 0.1


class SleepableEngine(Protocol):
    """A server that can free its device and come back: what an arbiter of one card works with.

    Every call is bounded in time and raises Unavailable when the server does not do it.
    """

    def is_sleeping(self) -> bool:
        """Whether it answers no requests now."""
        ...

    def drain(self, timeout_s: float) -> None:
        """Wait until nothing runs or waits in it; raises Unavailable when that takes too long."""
        ...

    def sleep(self, timeout_s: float) -> None:
        """Move the weights to the host's memory and drop the cache (level 1).

        What still runs is broken off; its clients see it at once, so drain before.
        """
        ...

    def wake(self, timeout_s: float) -> None:
        """Take the device's memory again; prove first that it is free.

        A wake that fails leaves the engine in no known state: restart it.
        """
        ...


class VllmControl:
    """The control of one vLLM server; it keeps no connection and no state of its own."""

    def __init__(self, url: str, key: str = "", timeout_s: float = 5.0) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s
        # loading the roots of trust takes 90 ms, which plain HTTP need not pay on every call
        self._verify = _roots_of_trust() if self.url.startswith("https:") else False

    def is_sleeping(self) -> bool:
        """Whether it sleeps; a server without that ability is awake."""
        answer = self._call("GET", "/is_sleeping", refused=(404, 405))
        return answer.status_code == httpx2.codes.OK and bool(answer.json().get("is_sleeping"))

    def drain(self, timeout_s: float) -> None:
        """Wait until nothing runs or waits in it."""
        until_s = clock.monotonic_s() + timeout_s
        while (busy := self.requests()) > 0:
            if clock.monotonic_s() >= until_s:
                raise Unavailable(
                    f"The writer still has {busy} requests after {timeout_s:g} s.", timeout_s
                )
            clock.sleep_s(_POLL_S)

    def sleep(self, timeout_s: float = 60.0) -> None:
        """Level 1: only that one keeps the weights, so a wake is quick and whole."""
        self._call("POST", "/sleep?level=1&mode=abort", timeout_s=timeout_s)

    def wake(self, timeout_s: float = 120.0) -> None:
        """Everything at once: a wake of parts leaves it asleep."""
        self._call("POST", "/wake_up", timeout_s=timeout_s)

    def requests(self) -> int:
        """How many requests run or wait in it."""
        figures = self.figures()
        return int(figures.get(_RUNNING, 0) + figures.get(_WAITING, 0))

    def figures(self) -> Mapping[str, float]:
        """Its own counters and gauges by name, summed over their labels."""
        return read_figures(self._call("GET", "/metrics").text)

    def models(self) -> Mapping[str, int]:
        """The models that it serves, with the length of their context in tokens (0: not told)."""
        data = self._call("GET", "/v1/models").json().get("data", [])
        return {str(one.get("id")): int(one.get("max_model_len") or 0) for one in data}

    def generate_one_token(self, model: str, timeout_s: float) -> None:
        """A real generation: `/health` answers 200 even while the engine hangs.

        Raises Unavailable when no token comes in time.
        """
        body = {"model": model, "prompt": "a", "max_tokens": 1, "priority": -1_000_000}
        self._call("POST", "/v1/completions", json=body, timeout_s=timeout_s)

    def count_tokens(self, model: str, text: str) -> int | None:
        """How many tokens the text has for this model; None where the server does not count."""
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        answer = self._call("POST", "/tokenize", json=body, refused=(400, 404, 405, 501))
        if answer.status_code != httpx2.codes.OK:
            return None
        return int(answer.json()["count"])

    def _call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        timeout_s: float | None = None,
        refused: tuple[int, ...] = (),
    ) -> httpx2.Response:
        limit_s = timeout_s or self._timeout_s
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            # no proxy of the environment: the story and the key stay on this way
            with httpx2.Client(
                timeout=limit_s, trust_env=False, headers=headers, verify=self._verify
            ) as client:
                answer = client.request(method, self.url + path, json=json)
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise WriterUnreachable(
                f"The writer's server does not answer {path.partition('?')[0]} within "
                f"{limit_s:g} s ({type(exc).__name__}); it is started again if the node owns it."
            ) from exc
        if answer.status_code in refused or answer.is_success:
            return answer
        if answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            raise ModelLoading("The writer's server is not ready yet.")
        raise WriterUnreachable(
            f"The writer's server answers {path.partition('?')[0]} with {answer.status_code}."
        )


class FakeEngine:
    """An engine for tests and for nodes without one: it sleeps and wakes as told.

    fail_next: the names of calls that fail once. Lock rule: `_lock` guards the three fields and is
    never held while waiting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sleeping = False
        self.busy = 0
        self.fail_next: set[str] = set()
        self.told: list[str] = []

    def is_sleeping(self) -> bool:
        """As it was last told."""
        with self._lock:
            return self._sleeping

    def drain(self, timeout_s: float) -> None:
        """Succeeds at once when nothing is busy."""
        self._note("drain")
        if self.busy:
            raise Unavailable(f"{self.busy} requests are left.", timeout_s)

    def sleep(self, timeout_s: float) -> None:
        """Fall asleep; what was busy is broken off."""
        del timeout_s
        self._note("sleep")
        with self._lock:
            self._sleeping, self.busy = True, 0

    def wake(self, timeout_s: float) -> None:
        """Wake up."""
        del timeout_s
        self._note("wake")
        with self._lock:
            self._sleeping = False

    def _note(self, name: str) -> None:
        with self._lock:
            self.told.append(name)
            if name in self.fail_next:
                self.fail_next.discard(name)
                raise Unavailable(f"The fake engine was told to fail at {name}.")


@cache
def _roots_of_trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def checked_url(url: str) -> str:
    """The URL without its path `/v1`. Raises InvalidInput for anything but plain http(s)."""
    try:
        parsed = httpx2.URL(url.strip())
    except httpx2.InvalidURL as exc:
        raise InvalidInput(f"'{url}' is no URL.") from exc
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
        raise InvalidInput("The writer's URL must be http(s)://host:port, without a user in it.")
    return url.strip().rstrip("/").removesuffix("/v1")
