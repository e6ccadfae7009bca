"""Plans: what a job that waits for approval would film, what it would cost, and when."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from api.bodies import Body
from api.outlook import cheapest
from api.services import Services
from storyforge.database import approvals
from storyforge.database.workers import live_workers
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_cost import FilmCost
from storyforge.domain.job import Job, Lane, WaitReason
from storyforge.domain.plan import RefusedScript
from storyforge.domain.script import Script, Shot
from storyforge.domain.wire import Wire

REASON_CHARS = 500

# Wire shapes


class PlanOut(Wire):
    """The script, the report on it, its cost on a card, and its place among the jobs that film.

    refused: the owner's own script that could not be taken, with its report.
    """

    script: Script
    continuity: ValidationResult
    estimate: FilmCost
    queue_position: int
    refused: RefusedScript | None


class _ShotIn(Shot):
    model_config = ConfigDict(extra="forbid")


class ScriptIn(Wire):
    """A script as the owner wants it: its shots; who wrote it stays the node's to say."""

    model_config = ConfigDict(extra="forbid")

    shots: Annotated[tuple[_ShotIn, ...], Field(min_length=1, max_length=60)]

    def script(self) -> Script:
        """The shots as a script."""
        shots = tuple(Shot.model_validate(one.model_dump(by_alias=True)) for one in self.shots)
        return Script(shots=shots, writer="the owner")


class ApprovalIn(Body):
    """An approval. script: with these shots instead of the proposed ones."""

    script: ScriptIn | None = None


class RejectionIn(Body):
    """A rejection, with its reason for whoever looks later."""

    reason: str = ""


# Operations


def plan_of(services: Services, c: Connection, job: Job) -> PlanOut | None:
    """The plan of a job that waits for approval; None for any other."""
    if job.wait_reason is not WaitReason.APPROVAL:
        return None
    plan = approvals.read_plan(c, job)
    if plan is None:
        return None
    films = [one for one in live_workers(c, services.database.clock) if one.role == Lane.FILM.value]
    return PlanOut(
        script=plan.script,
        continuity=plan.report,
        estimate=cheapest(films, [shot.seconds for shot in plan.script.shots]),
        queue_position=approvals.queue_position(c, job),
        refused=plan.refused,
    )
