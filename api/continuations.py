"""Continuations: accept a text to film, film the last segment anew, or take it away."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Header, Response
from pydantic import Field
from sqlalchemy import Connection

from api import announce
from api.bodies import Body, check_story
from api.jobs import JobOut, job_out
from api.presets import check_style, check_voice
from api.scenes import SceneOut, scene_out
from api.services import Services, Use
from storyforge import clock
from storyforge.database import accept, segments
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.domain.job import JobConfig, JobKind, Lane
from storyforge.domain.wire import content_hash
from storyforge.errors import FieldError, InvalidInput
from storyforge.ids import uuid7

router = APIRouter(prefix="/v1/scenes/{scene_id}", tags=["continuations"])
_SEED_BITS = 32  # every random source of ours takes that many
_STAGE = "accept"  # the failpoints' name for this
_MAX_VERSION = 2**31 - 1  # the column's

Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Seed = Annotated[int, Field(ge=0, lt=2**_SEED_BITS)]

# Wire shapes


class _Wishes(Body):
    """How to film; what is left out is decided by the scene.

    dry_run: plan it, and wait for approval before anything is filmed.
    """

    target_duration: float | None = None
    style_preset: str | None = None
    voice_preset: str | None = None
    seed: Seed | None = None
    dry_run: bool = False


class ContinuationIn(_Wishes):
    """What happens next, and what the client thinks that it follows."""

    text: str
    bible_version: Annotated[int, Field(ge=1, le=_MAX_VERSION)] | None = None
    after_job_id: UUID | None = None


class RetakeIn(_Wishes):
    """What to do otherwise this time; nothing: the same text with another seed."""

    text: str | None = None


# Operations


def accept_continuation(
    services: Services, scene_id: UUID, body: ContinuationIn, key: str | None
) -> accept.Accepted:
    """Check the wishes, then write the job and the key in one transaction."""
    text = check_story(body.text, services.settings.limits.text_chars)
    _check_wishes(services, body)
    job_id = uuid7()

    def work(c: Connection) -> accept.Accepted:
        new = accept.NewJob(
            id=job_id,
            scene_id=scene_id,
            kind=JobKind.CONTINUE,
            text=text,
            config=JobConfig(
                target_duration=body.target_duration or services.settings.limits.default_segment_s,
                style_preset=body.style_preset or "",  # the scene's
                voice_preset=body.voice_preset or "",
                seed=_seed(body.seed),
            ),
            bible_version=body.bible_version,
            after_job_id=body.after_job_id,
            hold=body.dry_run,
        )
        return _accept(services, c, new, _idempotency(key, scene_id, None, body))

    return _accepted(services, work)


def accept_retake(
    services: Services, scene_id: UUID, segment_id: UUID, body: RetakeIn, key: str | None
) -> accept.Accepted:
    """Queue the last segment anew: its own text and wishes, but for what `body` says."""
    limits = services.settings.limits
    text = None if body.text is None else check_story(body.text, limits.text_chars)
    _check_wishes(services, body)
    idempotency = _idempotency(key, scene_id, segment_id, body)
    job_id = uuid7()

    def work(c: Connection) -> accept.Accepted:
        if idempotency is not None:  # an answered retake may have replaced the segment since
            earlier = accept.find_replay(c, idempotency)
            if earlier is not None:
                return accept.Accepted(earlier, replayed=True)
        scene_rows.lock_head(c, scene_id)
        old = segments.require_last(c, scene_rows.get_scene(c, scene_id), segment_id)
        before = job_rows.get_job(c, old.job_id).config
        config = JobConfig(
            target_duration=body.target_duration or before.target_duration,
            style_preset=body.style_preset or before.style_preset,
            voice_preset=body.voice_preset or before.voice_preset,
            seed=_seed(body.seed),
        )
        new = accept.NewJob(
            job_id, scene_id, JobKind.RETAKE, text or old.text, config, hold=body.dry_run
        )
        return _accept(services, c, new, idempotency)

    return _accepted(services, work)


def _accept(
    services: Services,
    c: Connection,
    new: accept.NewJob,
    idempotency: accept.IdempotencyKey | None,
) -> accept.Accepted:
    accepted = accept.accept_job(
        c,
        new,
        services.database.clock,
        now=clock.utc_now(),
        idempotency=idempotency,
        max_open=services.settings.limits.queued_jobs,
    )
    services.failpoints.hit(_STAGE, "p2")
    return accepted


def _accepted(services: Services, work: Callable[[Connection], accept.Accepted]) -> accept.Accepted:
    services.failpoints.hit(_STAGE, "p1")
    accepted = services.database.write(work)
    services.failpoints.hit(_STAGE, "p3")
    # also for a replay: the first answer may have been lost before its wake-up
    services.dispatcher.wake(Lane.WRITE)
    services.failpoints.hit(_STAGE, "p4")
    return accepted


def _check_wishes(services: Services, wishes: _Wishes) -> None:
    limits = services.settings.limits
    seconds = wishes.target_duration
    if seconds is not None and not limits.min_segment_s <= seconds <= limits.max_segment_s:
        detail = (
            f"{seconds:g} seconds are not possible; choose {limits.min_segment_s:g} to "
            f"{limits.max_segment_s:g}."
        )
        raise InvalidInput(f"/targetDuration: {detail}", [FieldError("/targetDuration", detail)])
    if wishes.style_preset is not None:
        check_style(wishes.style_preset, "/stylePreset")
    if wishes.voice_preset is not None:
        check_voice(wishes.voice_preset, "/voicePreset")


def _seed(wished: int | None) -> int:
    return secrets.randbits(_SEED_BITS) if wished is None else wished


def _idempotency(
    key: str | None, scene_id: UUID, segment_id: UUID | None, body: _Wishes
) -> accept.IdempotencyKey | None:
    if key is None:
        return None
    pointer = "header:Idempotency-Key"
    if not 1 <= len(key) <= 255 or not all("!" <= one <= "~" for one in key):  # noqa: PLR2004  a header's sane size
        detail = "Send 1 to 255 visible ASCII characters, such as a UUID."
        raise InvalidInput(f"{pointer}: {detail}", [FieldError(pointer, detail)])
    asked = {
        "scene": str(scene_id),
        "retake": str(segment_id) if segment_id else None,
        "body": body.to_json(),
    }
    return accept.IdempotencyKey(scene_rows.LOCAL_OWNER, key, content_hash(asked))


# Routes


@router.post("/continue", status_code=202, response_model=JobOut)
def continue_scene(
    services: Use,
    scene_id: UUID,
    body: ContinuationIn,
    later: BackgroundTasks,
    key: Key = None,
) -> Response:
    """Accept a continuation: durable once this answers."""
    accepted = accept_continuation(services, scene_id, body, key)
    return _answer(services, accepted, later)


@router.post("/segments/{segment_id}/retake", status_code=202, response_model=JobOut)
def retake(
    services: Use,
    scene_id: UUID,
    segment_id: UUID,
    later: BackgroundTasks,
    body: RetakeIn | None = None,
    key: Key = None,
) -> Response:
    """Film the last segment anew; the old one plays until the new one is there."""
    accepted = accept_retake(services, scene_id, segment_id, body or RetakeIn(), key)
    return _answer(services, accepted, later)


@router.delete("/segments/{segment_id}")
def remove(services: Use, scene_id: UUID, segment_id: UUID, later: BackgroundTasks) -> SceneOut:
    """Take the last segment away, and the bible's facts back to before it."""
    scene = services.database.write(
        lambda c: segments.remove_last_segment(c, scene_id, segment_id, now=clock.utc_now())
    )
    later.add_task(announce.scene_moved, services, scene.id, scene.revision)
    return scene_out(scene)


def _answer(services: Services, accepted: accept.Accepted, later: BackgroundTasks) -> Response:
    headers = {"Location": f"/v1/jobs/{accepted.job.id}"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    else:
        later.add_task(announce.job_moved, services, accepted.job)
    # rendered here: FastAPI would take the model to another thread to look at it once more
    text = job_out(accepted.job).model_dump_json(by_alias=True)
    return Response(text, 202, headers, "application/json")
