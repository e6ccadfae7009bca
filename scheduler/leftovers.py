"""Collects the files of encodes that became no segment: of dead and cancelled jobs, and retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from storyforge import clock
from storyforge.database import live_films
from storyforge.database.engine import Database
from storyforge.database.live_films import Leftover
from storyforge.errors import DatabaseUnreachable, StoryForgeError
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket, ObjectStore

_log = structlog.get_logger(__name__)
_AT_ONCE = 200  # encodes per round, so that the sweeper soon looks at the living again


@dataclass(frozen=True)
class Collector:
    """grace_s: how long the files stay after their job ended; somebody may be watching."""

    database: Database
    store: ObjectStore
    grace_s: float

    def collect(self) -> int:
        """One round; gives how many encodes were looked at. Safe to run twice, and at once."""
        before = clock.utc_now() - timedelta(seconds=self.grace_s)
        with self.database.read() as c:
            found = live_films.leftovers(c, before=before, limit=_AT_ONCE)
        for leftover in found:
            try:
                self._collect_one(leftover)
            except DatabaseUnreachable:
                raise
            except StoryForgeError as exc:  # its row stays, so the next round tries again
                segment_id = str(leftover.segment_id)
                _log.warning("files not collected yet", segment_id=segment_id, error=exc.detail)
        return len(found)

    def _collect_one(self, leftover: Leftover) -> None:
        if not self.database.write(lambda c: live_films.give_up(c, leftover)):
            return
        prefix = segment_prefix(leftover.scene_id, leftover.segment_id)
        keys = [one.key for one in self.store.list(Bucket.VIDEOS, prefix)]
        self.store.delete_many(Bucket.VIDEOS, keys)
        self.database.write(lambda c: live_films.forget(c, leftover.segment_id))
        _log.info("files collected", segment_id=str(leftover.segment_id), files=len(keys))
