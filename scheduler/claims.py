"""Claims jobs for a worker: one at a time, or for a device a batch of one shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import Connection

from scheduler.batching import Wish, choose_batch
from scheduler.payloads import payload_of
from storyforge import clock
from storyforge.database import batches, leases, workers
from storyforge.database.engine import Database
from storyforge.database.leases import Claim
from storyforge.domain.job import GenerationJobPayload, Lane
from storyforge.errors import DatabaseUnreachable, DiskFull
from storyforge.settings import JobSettings

_log = structlog.get_logger(__name__)
# Another worker may take what was just chosen; its choice is seen at the next look.
_LOOKS = 3


@dataclass(frozen=True)
class Taken:
    """A claimed job.

    payload: None when its snapshot could not be made, which its own attempt says. begun: whether
    it begins at once, or waits for its turn behind others of its batch.
    """

    claim: Claim
    payload: GenerationJobPayload | None
    begun: bool = True


@dataclass
class Claims:
    """One worker's claims. It remembers which shape its device filmed last.

    fused: how many shots of a shape (by its key) share a forward pass on this device. avoid: the
    shapes that did not fit it. with_history: whether snapshots hold the bible's history, for a
    writer that reads it.
    """

    database: Database
    lane: Lane
    worker: str
    jobs: JobSettings
    fused: Callable[[str], int] = lambda _key: 1
    with_history: bool = False
    key: str | None = None
    avoid: set[str] = field(default_factory=set)

    def take(self) -> Sequence[Taken]:
        """Claim what is next and snapshot it, in one commit: a commit costs more than all in it."""
        try:
            return self.database.write(lambda c: self._take(c, with_payload=True))
        except (DatabaseUnreachable, DiskFull) as exc:
            _log.warning("nothing claimed; the sweeper wakes the lane", error=exc.detail)
            return ()
        except Exception:  # noqa: BLE001  the outermost loop: a damaged job must not stop its lane
            return self.database.write(lambda c: self._take(c, with_payload=False))

    def fused_now(self) -> int:
        """How many shots of the present shape share a forward pass here; 1 for none."""
        if self.lane is not Lane.FILM or self.key is None:
            return 1
        return max(1, self.fused(self.key))

    def begin(self, claim: Claim) -> None:
        """A job of the batch begins. Raises LeaseLost and DatabaseUnreachable."""
        self.database.write(lambda c: batches.begin(c, claim))

    def payload(self, claim: Claim) -> GenerationJobPayload:
        """The snapshot of a claimed job. Raises LeaseLost."""
        return self.database.write(lambda c: self._payload(c, claim))

    def _payload(
        self, c: Connection, claim: Claim, row: leases.JobRow | None = None
    ) -> GenerationJobPayload:
        return payload_of(c, claim, row, with_history=self.with_history)

    def _take(self, c: Connection, *, with_payload: bool) -> Sequence[Taken]:
        rows = self._batch(c) if self.lane is Lane.FILM else self._one(c)
        taken = []
        for row in rows:
            claim = leases.claim_of(row, fenced=self.jobs.fence)
            payload = self._payload(c, claim, row) if with_payload else None
            taken.append(Taken(claim, payload, row.begun))
        return taken

    def _one(self, c: Connection) -> Sequence[leases.JobRow]:
        row = leases.claim_row(
            c,
            self.database.clock,
            self.lane,
            self.worker,
            lease_s=self.jobs.lease_s,
            now=clock.utc_now(),
        )
        return () if row is None else (row,)

    def _batch(self, c: Connection) -> Sequence[leases.JobRow]:
        for _ in range(_LOOKS):
            waiting = batches.waiting_jobs(c, self.database.clock, self.lane)
            chosen = choose_batch(waiting, self._wish(c))
            if not chosen:
                return ()
            self.key = next(one.key for one in waiting if one.id == chosen[0])
            rows = self._claimed(c, chosen)
            if rows:
                newest = max(row.id for row in rows)
                if any(one.id < newest and one.id not in chosen for one in waiting):
                    batches.note_overtaken(c, self.database.clock, self.lane, newest)
                return rows
        return ()

    def _claimed(self, c: Connection, chosen: Sequence[UUID]) -> Sequence[leases.JobRow]:
        return batches.claim_jobs(
            c,
            self.database.clock,
            chosen,
            self.worker,
            begins=self.fused_now(),
            lease_s=self.jobs.lease_s,
            now=clock.utc_now(),
        )

    def _wish(self, c: Connection) -> Wish:
        live = workers.live_workers(c, self.database.clock)
        return Wish(
            key=self.key,
            most=self.jobs.batch,
            patience_s=self.jobs.batch_patience_s,
            overtaken_most=self.jobs.batch_overtaken,
            devices=sum(one.role == self.lane.value for one in live),
            avoid=frozenset(self.avoid),
        )
