"""Tells each open job its place in line and its time, from the rows of those who film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection

from storyforge.database.engine import Database
from storyforge.database.queue import line_of_jobs
from storyforge.database.workers import WorkerRecord, live_workers
from storyforge.domain.film_cost import FilmCost, FilmSetup, film_cost
from storyforge.domain.job import Job, JobState, Lane
from storyforge.domain.profile import DeviceProfile
from storyforge.domain.queue_outlook import Outlook, outlooks

_IN_LINE = frozenset({JobState.QUEUED, JobState.LEASED})
OUTSIDE = Outlook(position=None, eta_s=None, reason="It is not in line for a device.")


def outlooks_of(database: Database, c: Connection, found: Sequence[Job]) -> Mapping[UUID, Outlook]:
    """The outlook of those of these jobs that are in line; nothing is read when none is."""
    if not any(job.state in _IN_LINE and job.lane is not Lane.PUBLISH for job in found):
        return {}
    films = [one for one in live_workers(c, database.clock) if one.role == Lane.FILM.value]

    @cache
    def cost(lengths: tuple[float, ...]) -> FilmCost:
        return cheapest(films, lengths)

    return outlooks(line_of_jobs(c), lambda lengths: cost(tuple(lengths)), len(films))


def cheapest(films: Sequence[WorkerRecord], lengths: Sequence[float]) -> FilmCost:
    """What shots of these lengths cost on the fastest of the cards that know it."""
    costs = [film_cost(_profile(one), _setup(one), lengths) for one in films]
    known = [one for one in costs if one.gpu_seconds is not None]
    if known:
        return min(known, key=lambda one: one.gpu_seconds or 0.0)
    return costs[0] if costs else FilmCost(gpu_seconds=None, reason="No film worker is running.")


def _profile(worker: WorkerRecord) -> DeviceProfile | None:
    try:
        return DeviceProfile.model_validate(worker.info["profile"])
    except (KeyError, ValidationError):  # none, or one of another release
        return None


def _setup(worker: WorkerRecord) -> FilmSetup | None:
    try:
        return FilmSetup.model_validate(worker.info["film"])
    except (KeyError, ValidationError):
        return None
