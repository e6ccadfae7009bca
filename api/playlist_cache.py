"""Scene playlists built once per head: a bounded cache to which new segments are appended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from api.playlist_text import GrowingText, pack
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.database.engine import Database
from storyforge.domain.scene import Scene
from storyforge.domain.segment import HlsProfile, RungMedia
from storyforge.errors import Gone, NotFound
from storyforge.playlists import (
    RungRates,
    scene_header,
    scene_master,
    scene_rates,
    scene_tail,
    segment_block,
)

MAX_SCENES = 64
MAX_BYTES = 256 * 1024 * 1024
# From /v1/scenes/{id}/p{epoch}/ up to the root, then down to the media: relative, so that the
# node works behind any prefix.
_MEDIA = "../../../../media"
_PAGE = 500  # segments read at once: bounds the memory of the first build


@dataclass
class _Film:
    """What is built of one scene at one playlist epoch; `lock` guards all of it."""

    profile: HlsProfile
    rungs: dict[str, GrowingText]
    rates: dict[str, RungRates] = field(default_factory=dict)
    count: int = 0
    size_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class PlaylistCache:
    """Masters and rung playlists of open scenes, and of their first N segments."""

    def __init__(
        self, database: Database, *, max_scenes: int = MAX_SCENES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._database = database
        self._max_scenes = max_scenes
        self._max_bytes = max_bytes
        self._films: OrderedDict[tuple[UUID, int], _Film] = OrderedDict()
        self._lock = threading.Lock()
        self.segments_read = 0  # how much was built, for tests and benchmarks

    def master(self, scene: Scene, revision: int | None) -> str:
        """The master of the scene as it is, or of its first `revision` segments."""
        film = self._film(scene)
        with film.lock:
            self._grow(film, scene)
            shown = revision or scene.next_number - 1
            # another request may have grown the film past what this one looks at
            rates = dict(film.rates) if shown == film.count else self._rates_of(scene, shown)
        self._trim()
        query = "" if revision is None else f"?rev={revision}"
        epoch = scene.playlist_epoch
        return scene_master(film.profile, rates, lambda rung: f"p{epoch}/{rung.name}.m3u8{query}")

    def rung(self, scene: Scene, name: str, revision: int | None, *, gzipped: bool) -> bytes:
        """One rung's playlist: EVENT, or the VOD of the first `revision` segments.

        Raises NotFound for an unknown rung, Gone when the scene's epoch moved meanwhile.
        """
        film = self._film(scene)
        with film.lock:
            text = film.rungs.get(name)
            if text is None:
                known = ", ".join(film.rungs)
                raise NotFound(f"Scene {scene.id} has no rung '{name[:40]}'; it has {known}.")
            self._grow(film, scene)
            if revision is None:
                shown = scene.next_number - 1
                found = text.gzipped(shown) if gzipped else text.plain(shown)
            else:
                found = text.body(revision)
        self._trim()
        if revision is None:
            return found
        header = scene_header(film.profile, ended=True).encode()
        whole = header + found + scene_tail().encode()
        return pack(whole) if gzipped else whole

    def _film(self, scene: Scene) -> _Film:
        if scene.profile is None or scene.next_number == 1:
            raise NotFound(
                f"Scene {scene.id} has no film yet; its playlists are there once its first "
                "segment is finished."
            )
        key = (scene.id, scene.playlist_epoch)
        with self._lock:
            film = self._films.get(key)
            if film is None:
                header = scene_header(scene.profile, ended=False)
                rungs = {rung.name: GrowingText(header) for rung in scene.profile.rungs}
                film = self._films[key] = _Film(scene.profile, rungs)
            self._films.move_to_end(key)
        return film

    def _grow(self, film: _Film, scene: Scene) -> None:
        """Append the segments that the scene has and the film lacks; its lock is held."""
        last = scene.next_number - 1
        while film.count < last:
            up_to = min(film.count + _PAGE, last)
            with self._database.read() as c:
                found = segment_rows.segment_rungs(
                    c, scene.id, after_number=film.count, up_to_number=up_to
                )
                _require_epoch(c, scene, len(found) == up_to - film.count)
            _append(film, scene.id, found)
            self.segments_read += len(found)

    def _rates_of(self, scene: Scene, revision: int) -> dict[str, RungRates]:
        assert scene.profile is not None
        with self._database.read() as c:
            found = segment_rows.segment_rungs(c, scene.id, after_number=0, up_to_number=revision)
            _require_epoch(c, scene, len(found) == revision)
        self.segments_read += len(found)
        return scene_rates((rungs for _, rungs in found), scene.profile)

    def _trim(self) -> None:
        with self._lock:
            held = sum(film.size_bytes for film in self._films.values())
            while len(self._films) > 1 and (
                len(self._films) > self._max_scenes or held > self._max_bytes
            ):
                _, oldest = self._films.popitem(last=False)
                held -= oldest.size_bytes


def _append(film: _Film, scene_id: UUID, found: Sequence[tuple[UUID, Sequence[RungMedia]]]) -> None:
    blocks: dict[str, list[str]] = {name: [] for name in film.rungs}
    for offset, (segment_id, rungs) in enumerate(found):
        first = film.count + offset == 0
        prefix = f"{_MEDIA}/videos/{scene_id}/{segment_id}/"
        for rung in rungs:
            name = rung.rung.name
            blocks[name].append(segment_block(rung.parts, prefix, first=first))
            before = film.rates.get(name) or RungRates(film.profile.target_duration)
            film.rates[name] = before.then(rung)
    for name, text in film.rungs.items():
        text.append(blocks[name])
    film.count += len(found)
    film.size_bytes = sum(text.size_bytes for text in film.rungs.values())


def _require_epoch(c: Connection, scene: Scene, complete: bool) -> None:
    """The rows read belong to this epoch only if it has not moved on meanwhile."""
    now = scene_rows.get_scene(c, scene.id).playlist_epoch
    if now != scene.playlist_epoch or not complete:
        raise Gone(
            f"Playlist epoch {scene.playlist_epoch} of scene {scene.id} has ended; load "
            "master.m3u8 again."
        )
