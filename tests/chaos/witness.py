"""Witnesses that look at a node all the time: a client of every job, and a viewer of every film."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy import select

from storyforge.database.engine import Database
from storyforge.database.tables import jobs, segments
from storyforge.errors import StoryForgeError
from storyforge.storage.store import ObjectStore
from tests.chaos.evidence import Sighting
from tests.chaos.oracle import Violation
from tests.chaos.playback import segment_plays

_EVERY_S = 0.1


class Witness:
    """A thread between `with` and the end of its block.

    seen: every numbered state of every job, as a client that reconnects would get them.
    spoilt: what was wrong with a segment in the moment it became visible.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self.seen: list[Sighting] = []
        self.spoilt: list[Violation] = []
        self._database, self._store = database, store
        self._known: dict[UUID, int] = {}
        self._watched: set[UUID] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.look()  # the last word

    def look(self) -> None:
        """See what changed since the last look."""
        with self._database.read() as c:
            changed = c.execute(select(jobs.c.id, jobs.c.seq, jobs.c.status)).all()
            shown = c.execute(select(segments).where(segments.c.hidden_at.is_(None))).all()
        for row in changed:
            if self._known.get(row.id) != row.seq:
                self._known[row.id] = row.seq
                self.seen.append(Sighting(row.id, row.seq, row.status))
        for row in shown:
            if row.id not in self._watched:
                self._watched.add(row.id)
                self.spoilt.extend(segment_plays(row, self._store))

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            try:
                self.look()
            except StoryForgeError:
                continue  # the database is being restarted: a client would reconnect
