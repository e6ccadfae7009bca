"""What is encoded can be watched at once, and neither the store nor a reader holds the encoder up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inference.video.model import Frames
from pipelines.encoding.hls import encode_hls
from pipelines.live_film import LiveFilming, nothing_yet
from storyforge.database.leases import LeaseLost
from storyforge.domain.segment import EncodedSegment, LiveFilm
from storyforge.errors import DatabaseUnreachable, StoreUnreachable
from storyforge.ids import uuid7
from storyforge.storage.memory import MemoryStore
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket, StoredObject
from tests.pipelines.hls_checks import PROFILE, clip, decoded

FRAMES = 60  # two whole parts of 24 frames and a tail
PATIENCE_S = 60


class Audience:
    """Keeps what was shown; `see` waits until a film like that is."""

    def __init__(self) -> None:
        self.films: list[LiveFilm] = []
        self._changed = threading.Condition()

    def show(self, film: LiveFilm) -> None:
        with self._changed:
            self.films.append(film)
            self._changed.notify_all()

    def see(self, wanted: Callable[[LiveFilm], bool]) -> LiveFilm:
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self.films[-1]), PATIENCE_S)
            return self.films[-1]


class SlowStore(MemoryStore):
    """Takes nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = threading.Event(), threading.Event()

    def put_file(self, *args: object, **kwargs: object) -> StoredObject:
        self.asked.set()
        assert self.may.wait(PATIENCE_S)
        return super().put_file(*args, **kwargs)  # type: ignore[arg-type]


class LostStore(MemoryStore):
    def put_file(self, *args: object, **kwargs: object) -> StoredObject:
        raise StoreUnreachable("The store is away.", retry_after_s=1)


def film(
    into: Path,
    store: MemoryStore,
    show: Callable[[LiveFilm], None],
    chunks: Iterator[Frames] | None = None,
    **changes: float,
) -> EncodedSegment:
    with LiveFilming(nothing_yet(uuid7(), uuid7(), PROFILE), into, store, show, **changes) as live:
        return encode_hls(
            chunks or clip(FRAMES),
            PROFILE,
            into,
            preset="ultrafast",
            on_frames=lambda _: None,
            on_file=live.offer,
        )


def test_the_first_part_can_be_decoded_while_later_frames_are_not_there_yet(tmp_path: Path) -> None:
    store, audience = MemoryStore(), Audience()
    seen: list[int] = []

    def chunks() -> Iterator[Frames]:
        yield from clip(36)
        shown = audience.see(lambda film: film.visible)
        prefix = segment_prefix(shown.scene_id, shown.segment_id)
        for media in shown.rungs:
            part = tmp_path / media.parts[0].uri
            part.write_bytes(store.get_bytes(Bucket.VIDEOS, prefix + part.name, 1 << 22))
            seen.append(len(decoded(part)))
        assert store.head(Bucket.VIDEOS, prefix + "poster.jpg") is not None
        yield from clip(FRAMES - 36)

    film(tmp_path / "hls", store, audience.show, chunks())
    assert seen == [24, 24]


def test_what_was_shown_grows_and_ends_as_the_segment(tmp_path: Path) -> None:
    store, audience = MemoryStore(), Audience()
    segment = film(tmp_path, store, audience.show, last_wait_s=PATIENCE_S)
    first, *others = audience.films
    assert not first.visible, "the row is there before the first file"
    for before, after in zip(audience.films, others, strict=False):
        for old, new in zip(before.rungs, after.rungs, strict=True):
            assert new.parts[: len(old.parts)] == old.parts
    last = audience.films[-1]
    assert [film.ended for film in audience.films] == [False] * (len(audience.films) - 1) + [True]
    assert [media.parts for media in last.rungs] == [media.parts for media in segment.rungs]
    assert [media.codecs for media in last.rungs] == [media.codecs for media in segment.rungs]
    held = {one.key for one in store.list(Bucket.VIDEOS)}
    prefix = segment_prefix(last.scene_id, last.segment_id)
    assert held == {
        prefix + file.path for file in segment.files if file.path.endswith((".ts", "poster.jpg"))
    }


def test_a_declared_rate_is_not_under_the_measured_one(tmp_path: Path) -> None:
    audience = Audience()
    segment = film(tmp_path, MemoryStore(), audience.show, last_wait_s=PATIENCE_S)
    for declared, measured in zip(audience.films[-1].rungs, segment.rungs, strict=True):
        assert declared.bandwidth >= measured.bandwidth > 0


def test_a_store_that_hangs_holds_nothing_up(tmp_path: Path) -> None:
    store, audience = SlowStore(), Audience()
    segment = film(tmp_path, store, audience.show, last_wait_s=0.0)
    assert segment.frames == FRAMES
    assert store.asked.wait(PATIENCE_S)
    assert [film.visible for film in audience.films] == [False]
    store.may.set()


@pytest.mark.parametrize(
    "error", [LeaseLost(), DatabaseUnreachable("Away.", retry_after_s=1), OSError("gone")]
)
def test_without_a_row_nothing_is_uploaded(tmp_path: Path, error: Exception) -> None:
    store = MemoryStore()

    def refuse(_film: LiveFilm) -> None:
        raise error

    assert film(tmp_path, store, refuse, last_wait_s=PATIENCE_S).frames == FRAMES
    assert list(store.list(Bucket.VIDEOS)) == []


def test_a_store_that_is_away_only_means_that_nobody_watches(tmp_path: Path) -> None:
    audience = Audience()
    assert film(tmp_path, LostStore(), audience.show, last_wait_s=PATIENCE_S).frames == FRAMES
    assert [(film.visible, film.ended) for film in audience.films] == [(False, False)]


def test_a_database_that_is_away_for_a_moment_costs_only_that_moment(tmp_path: Path) -> None:
    audience, tells = Audience(), iter(range(100))

    def show(film: LiveFilm) -> None:
        if next(tells) in {1, 2}:
            raise DatabaseUnreachable("Away.", retry_after_s=1)
        audience.show(film)

    film(tmp_path, MemoryStore(), show, last_wait_s=PATIENCE_S)
    assert audience.films[-1].ended


def test_of_an_encode_that_breaks_off_no_broken_part_is_shown(tmp_path: Path) -> None:
    store, audience = MemoryStore(), Audience()

    def chunks() -> Iterator[Frames]:
        yield from clip(40)
        audience.see(lambda film: film.visible)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        film(tmp_path, store, audience.show, chunks(), last_wait_s=PATIENCE_S)
    last = audience.films[-1]
    assert not last.ended
    assert {part.seconds for media in last.rungs for part in media.parts} == {2.0}
