"""Live updates over a WebSocket: a snapshot of the scenes asked for, then numbered updates."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Collection, Sequence
from typing import Annotated, Literal
from uuid import UUID

import structlog
from anyio import create_task_group, fail_after, to_thread
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError
from starlette.status import (
    WS_1003_UNSUPPORTED_DATA,
    WS_1008_POLICY_VIOLATION,
    WS_1009_MESSAGE_TOO_BIG,
    WS_1013_TRY_AGAIN_LATER,
)

from api.bodies import Body
from api.live_outbox import Hopeless, Outbox, live_text
from api.problems import problem_of, problem_response
from api.scenes import SceneOut, scene_out
from api.services import Services, services_of
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.domain.job import Job
from storyforge.errors import StoryForgeError, Unavailable

router = APIRouter(prefix="/v1")
MAX_SCENES = 100
MAX_MESSAGE_BYTES = 64 * 1024
MESSAGES_PER_MINUTE = 100
RECENT_JOBS = 10  # of each scene: what ended while the client was away is in the snapshot
_SEND_TIMEOUT_S = 30.0
_log = structlog.get_logger(__name__)

# Wire shapes


class _Scenes(Body):
    scene_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_SCENES)]


class Subscribe(_Scenes):
    """Send the state of these scenes, then their updates."""

    type: Literal["subscribe"]


class Unsubscribe(_Scenes):
    """Send no more of these scenes."""

    type: Literal["unsubscribe"]


class Ping(Body):
    """Answer with a pong."""

    type: Literal["ping"]


_FROM_CLIENT: TypeAdapter[Subscribe | Unsubscribe | Ping] = TypeAdapter(
    Annotated[Subscribe | Unsubscribe | Ping, Field(discriminator="type")]
)


class _Refused(Exception):
    """The connection has to end."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


# Operations


class Reader:
    """One connected client: what it follows and what waits for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._follows: set[UUID] = set()
        self._arrivals_s: deque[float] = deque(maxlen=MESSAGES_PER_MINUTE)
        self.outbox = Outbox()

    async def take(self, text: str) -> None:
        """Act on one message of the client. Raises _Refused for a flood or a huge message."""
        self._check_rate()
        if len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE_BYTES:
            raise _Refused(WS_1009_MESSAGE_TOO_BIG, f"at most {MAX_MESSAGE_BYTES} bytes")
        try:
            message = _FROM_CLIENT.validate_json(text)
        except (ValidationError, StoryForgeError):
            detail = (
                'Send {"type":"subscribe","sceneIds":[...]}, "unsubscribe" or "ping", with 1 to '
                f"{MAX_SCENES} scene ids."
            )
            self._complain("invalid_input", detail)
            return
        if isinstance(message, Subscribe):
            await self._subscribe(message.scene_ids)
        elif isinstance(message, Unsubscribe):
            self._unsubscribe(message.scene_ids)
        else:
            self.outbox.put(live_text({"type": "pong"}))

    def leave(self) -> None:
        """Follow nothing any more."""
        self._services.hub.leave(self.outbox, self._follows)

    async def _subscribe(self, scene_ids: Collection[UUID]) -> None:
        new = set(scene_ids) - self._follows
        if len(new) + len(self._follows) > MAX_SCENES:
            self._complain(
                "quota_exceeded", f"At most {MAX_SCENES} scenes can be followed at once."
            )
            return
        if not new:
            return
        self._follows |= new
        # join before looking, so that nothing falls between the snapshot and the updates
        self.outbox.hold(new)
        self._services.hub.join(self.outbox, new)
        try:
            scenes, jobs = await to_thread.run_sync(_state_of, self._services, new)
        except StoryForgeError as exc:
            raise _Refused(WS_1013_TRY_AGAIN_LATER, exc.code) from exc
        self._send_snapshot(new, scenes, jobs)
        self._services.hub.tell_jobs(jobs)

    def _send_snapshot(
        self, new: Collection[UUID], scenes: Sequence[SceneOut], jobs: Sequence[Job]
    ) -> None:
        there = {scene.id for scene in scenes}
        missing = set(new) - there
        updates = [job.update() for job in jobs if job.scene_id in there]
        message = live_text(
            {
                "type": "snapshot",
                "scenes": [scene.to_json() for scene in scenes],
                "jobs": [update.to_json() for update in updates],
                "missing": sorted(str(scene_id) for scene_id in missing),
            }
        )
        self.outbox.put_snapshot(
            new, message, updates, {scene.id: scene.revision for scene in scenes}
        )
        self._unsubscribe(missing)

    def _unsubscribe(self, scene_ids: Collection[UUID]) -> None:
        self._services.hub.leave(self.outbox, scene_ids)
        self._follows -= set(scene_ids)
        self.outbox.forget(set(scene_ids))

    def _complain(self, code: str, detail: str) -> None:
        self.outbox.put(live_text({"type": "error", "code": code, "detail": detail}))

    def _check_rate(self) -> None:
        now_s = clock.monotonic_s()
        full = len(self._arrivals_s) == MESSAGES_PER_MINUTE
        if full and now_s - self._arrivals_s[0] < 60:  # noqa: PLR2004  seconds of a minute
            raise _Refused(
                WS_1008_POLICY_VIOLATION, f"over {MESSAGES_PER_MINUTE} messages a minute"
            )
        self._arrivals_s.append(now_s)


def _state_of(
    services: Services, scene_ids: Collection[UUID]
) -> tuple[Sequence[SceneOut], Sequence[Job]]:
    """The scenes that are there, and their open and latest jobs, oldest first."""
    with services.database.read() as c:
        scenes = [scene_out(scene) for scene in scene_rows.find_scenes(c, scene_ids)]
        found = {job.id: job for job in job_rows.changed_jobs(c, scene_ids, {})}
        for scene in scenes:
            for job in job_rows.list_jobs(c, limit=RECENT_JOBS, scene_id=scene.id):
                found.setdefault(job.id, job)
    return scenes, [found[job_id] for job_id in sorted(found)]


# Routes


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Follow scenes until either side leaves."""
    services = services_of(socket)
    if services.hub.sockets >= services.settings.limits.live_sockets:
        full = Unavailable("Too many pages are open on this node; close some.", retry_after_s=30)
        await socket.send_denial_response(problem_response(socket, problem_of(full)))
        return
    services.hub.sockets += 1
    reader = Reader(services)
    try:
        await socket.accept()
        await _serve(socket, reader)
    except _Refused as refusal:
        await _close(socket, refusal.code, refusal.reason)
    except WebSocketDisconnect:
        pass
    finally:
        services.hub.sockets -= 1
        reader.leave()


async def _serve(socket: WebSocket, reader: Reader) -> None:
    """Read and write side by side; the first to end ends both, and says why."""
    ends: list[_Refused | WebSocketDisconnect] = []

    async def until_end(work: Awaitable[None]) -> None:
        try:
            await work
        except (_Refused, WebSocketDisconnect) as end:
            ends.append(end)
        both.cancel_scope.cancel()

    async with create_task_group() as both:
        both.start_soon(until_end, _read(socket, reader))
        both.start_soon(until_end, _write(socket, reader.outbox))
    raise ends[0]


async def _read(socket: WebSocket, reader: Reader) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if text is None:
            raise _Refused(WS_1003_UNSUPPORTED_DATA, "send text, not bytes")
        await reader.take(text)


async def _write(socket: WebSocket, outbox: Outbox) -> None:
    slow = _Refused(WS_1013_TRY_AGAIN_LATER, "too slow; come back for a snapshot")
    while True:
        try:
            text = await outbox.next()
            with fail_after(_SEND_TIMEOUT_S):
                await socket.send_text(text)
        except (Hopeless, TimeoutError) as exc:
            raise slow from exc


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        with fail_after(_SEND_TIMEOUT_S):
            await socket.close(code, reason)
    except (TimeoutError, RuntimeError, OSError, WebSocketDisconnect):
        _log.info("a live client left before it could be told why", code=code)
