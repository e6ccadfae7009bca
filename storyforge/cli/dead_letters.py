"""`storyforge jobs`: the dead letters, listed, run again or taken off the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, make_url

from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database, open_database
from storyforge.domain.job import Job, JobState
from storyforge.errors import InvalidInput, SetupProblem
from storyforge.settings import Settings

_TEXT_CHARS = 50


def list_jobs(settings: Settings, *, dead: bool, limit: int) -> Sequence[Job]:
    """The newest jobs, or only the failed ones that nobody has discarded."""
    with _opened(settings) as database, database.read() as c:
        return job_rows.list_jobs(
            c,
            limit=limit,
            states=[JobState.DEAD] if dead else (),
            discarded=False if dead else None,
        )


def retry_job(settings: Settings, job_id: str) -> Job:
    """Queue a failed or held job again; the sweeper of a running node wakes its lane."""
    wanted = _id_of(job_id)
    return _moved(
        settings,
        lambda c, database: job_rows.retry_job(c, wanted, database.clock, now=clock.utc_now()),
    )


def discard_job(settings: Settings, job_id: str) -> Job:
    """Take a failed job off the list; it stays failed."""
    wanted = _id_of(job_id)
    return _moved(settings, lambda c, _: job_rows.discard_job(c, wanted, now=clock.utc_now()))


def in_one_line(job: Job) -> str:
    """A job for people: id, status, why it failed, the beginning of its text."""
    why = ""
    if job.error is not None:
        tries = sum(job.attempts.values())
        why = f"  {job.error.code} in {job.error.stage or 'no stage'} after {tries} tries: "
        why += job.error.detail
    text = " ".join(job.text.split())
    shown = text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 3] + "..."
    return f"{job.id}  {job.status.value:<18} {shown!r}{why}"


def _moved(settings: Settings, move: Callable[[Connection, Database], Job]) -> Job:
    with _opened(settings) as database:
        return database.write(lambda c: move(c, database))


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    _require_there(settings)
    database = open_database(settings.database_url, settings.database)
    try:
        yield database
    finally:
        database.dispose()


def _require_there(settings: Settings) -> None:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise SetupProblem(
            f"There is no database in {settings.node.data_dir.resolve()} yet. Name the node's "
            "directory with --data-dir, or start it with `storyforge up`."
        )


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise InvalidInput(
            f"'{text}' is no job id; `storyforge jobs list` shows them in full."
        ) from exc
