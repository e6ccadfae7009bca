"""Shows a film while it is being encoded: puts each part into the store as soon as it is whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from pipelines.encoding.manifest import CONTENT_TYPES
from pipelines.encoding.parts import check_part
from pipelines.encoding.rung import declared_bps
from storyforge.database.leases import LeaseLost
from storyforge.domain.segment import HlsProfile, LiveFilm, Part, RungMedia
from storyforge.errors import DatabaseUnreachable, StoryForgeError
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import IMMUTABLE_CACHE, Bucket, ObjectStore

_log = structlog.get_logger(__name__)
_PART = ".ts"
# A store that keeps up needs milliseconds for the last parts. One that does not has them published
# by the next lane, so nobody waits for it here.
LAST_WAIT_S = 2.0


class LiveFilming:
    """One thread that uploads what the encoder has closed; a context manager around an encode.

    It never holds the encoder back: names are queued, the files lie on disk anyway. When the store
    or the database fails, there is nothing to watch, or no more, and the encode goes on. The keys
    are those of the segment to be, whose id no other encode shares: no key gets two contents.
    """

    def __init__(
        self,
        film: LiveFilm,
        folder: Path,
        store: ObjectStore,
        show: Callable[[LiveFilm], None],
        *,
        last_wait_s: float = LAST_WAIT_S,
    ) -> None:
        self._film = film
        self._folder = folder
        self._store = store
        self._show = show
        self._last_wait_s = last_wait_s
        self._names: SimpleQueue[str | None] = SimpleQueue()
        self._whole = False
        self._stopped = threading.Event()
        # daemon: a store that hangs must not keep the process from ending
        self._thread = threading.Thread(target=self._run, name="live-film", daemon=True)

    def __enter__(self) -> Self:
        """Begin to wait for files."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        """End: after an encode that went well, once the last parts are shown or it takes too long."""
        self._whole = kind is None
        if not self._whole:
            self._stopped.set()
        self._names.put(None)
        self._thread.join(self._last_wait_s)
        self._stopped.set()

    def offer(self, name: str) -> None:
        """A file is whole. Called from the encoder's threads; never waits."""
        self._names.put(name)

    def _run(self) -> None:
        try:
            self._show(self._film)  # before the first file, so that none is ever left over unknown
            while (name := self._names.get()) is not None and not self._stopped.is_set():
                self._take(name)
            if self._whole and not self._stopped.is_set():
                self._tell(self._film.model_copy(update={"ended": True}))
        except LeaseLost:
            _log.info("nobody watches any more; the job has moved on")
        except (StoryForgeError, OSError) as exc:
            reason = getattr(exc, "detail", None) or type(exc).__name__
            _log.warning("the film cannot be watched while it is made", error=reason)

    def _take(self, name: str) -> None:
        path = self._folder / name
        part = None
        if path.suffix == _PART:
            check = check_part(path)
            part = Part(uri=name, seconds=check.frames / self._film.profile.fps, bytes=check.bytes)
        self._store.put_file(
            Bucket.VIDEOS,
            segment_prefix(self._film.scene_id, self._film.segment_id) + name,
            path,
            content_type=CONTENT_TYPES[path.suffix],
            cache_control=IMMUTABLE_CACHE,
        )
        if part is not None:
            self._tell(with_part(self._film, part, check.codecs))

    def _tell(self, film: LiveFilm) -> None:
        self._film = film
        with suppress(DatabaseUnreachable):  # the next part says this one too
            self._show(film)


def nothing_yet(scene_id: UUID, segment_id: UUID, profile: HlsProfile) -> LiveFilm:
    """A film that begins: its rungs, and no part of any."""
    rungs = tuple(
        RungMedia(
            rung=rung,
            codecs="",
            bandwidth=declared_bps(rung, profile.fps),
            average_bandwidth=declared_bps(rung, profile.fps),
            parts=(),
        )
        for rung in profile.rungs
    )
    return LiveFilm(scene_id=scene_id, segment_id=segment_id, profile=profile, rungs=rungs)


def with_part(film: LiveFilm, part: Part, codecs: str) -> LiveFilm:
    """The film with one more part of the rung that the part's name begins with."""
    name = part.uri.rpartition("_")[0]
    rungs = tuple(
        media.model_copy(
            update={"parts": (*media.parts, part), "codecs": max(media.codecs, codecs)}
        )
        if media.rung.name == name
        else media
        for media in film.rungs
    )
    return film.model_copy(update={"rungs": rungs})
