"""The oracle's playlist rule sees files that are gone, short, altered or do not play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import update

from pipelines.encoding.hls import encode_hls
from pipelines.encoding.ladder import hls_profile
from storyforge.database.engine import Database
from storyforge.database.tables import scenes, segments
from storyforge.domain.segment import EncodedSegment
from storyforge.storage.memory import MemoryStore
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket
from tests.builders import accept, film_next, new_scene, outcome
from tests.chaos.evidence import gather
from tests.chaos.playback import playlists_play

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PART, VARIANT = "108p_0001.ts", "108p.m3u8"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EncodedSegment]:
    """One encoded second."""
    folder = tmp_path_factory.mktemp("film")
    frames = np.random.default_rng(1).integers(0, 255, (8, 108, 192, 3), np.uint8)
    profile = hls_profile(192, 108, 8)
    media = encode_hls([frames], profile, folder, preset="ultrafast", on_frames=lambda _n: None)
    return folder, media


@pytest.fixture
def published(database: Database, film: tuple[Path, EncodedSegment]) -> MemoryStore:
    """A scene with that segment, committed and stored."""
    folder, media = film
    store = MemoryStore()
    scene = new_scene(database)
    accept(database, scene.id)
    base = outcome()
    made = type(base)(**{**vars(base), "media": media})
    for file in media.files:
        key = segment_prefix(scene.id, made.segment_id) + file.path
        path = folder / file.path
        store.put_file(Bucket.VIDEOS, key, path, content_type=file.content_type)
    film_next(database, made)
    return store


def _said(database: Database, store: MemoryStore) -> str:
    return "\n".join(map(str, playlists_play(gather(database), store)))


def _key(database: Database, name: str) -> str:
    rows = [row for group in gather(database).segments.values() for row in group]
    return segment_prefix(rows[0].scene_id, rows[0].id) + name


def _change(database: Database, change: Callable[[EncodedSegment], EncodedSegment]) -> UUID:
    row = next(row for group in gather(database).segments.values() for row in group)
    media = change(EncodedSegment.model_validate(row.media))
    database.write(lambda c: c.execute(update(segments).values(media=media.to_json())))
    found: UUID = row.id
    return found


def test_a_published_segment_plays(database: Database, published: MemoryStore) -> None:
    assert _said(database, published) == ""


def test_a_part_that_is_gone_is_seen(database: Database, published: MemoryStore) -> None:
    published.delete(Bucket.VIDEOS, _key(database, PART))
    assert f"lists {PART}: the store says not_found" in _said(database, published)


def test_a_part_of_another_size_is_seen(database: Database, published: MemoryStore) -> None:
    published.put_bytes(Bucket.VIDEOS, _key(database, PART), b"x", content_type="video/mp2t")
    assert f"lists {PART}: it has 1 bytes" in _said(database, published)


def test_an_altered_part_is_seen(database: Database, published: MemoryStore) -> None:
    key = _key(database, PART)
    data = bytearray(published.get_bytes(Bucket.VIDEOS, key, 1 << 24))
    data[len(data) // 2] ^= 0xFF
    published.put_bytes(Bucket.VIDEOS, key, bytes(data), content_type="video/mp2t")
    assert "its content is not what was recorded" in _said(database, published)


def test_a_segment_with_too_few_frames_is_seen(database: Database, published: MemoryStore) -> None:
    _change(database, lambda media: media.model_copy(update={"frames": 9}))
    assert "gives 8 frames as 108p, not 9" in _said(database, published)


def test_a_playlist_that_names_an_unknown_part_is_seen(
    database: Database, published: MemoryStore
) -> None:
    segment_id = _change(
        database,
        lambda media: media.model_copy(
            update={"files": tuple(file for file in media.files if file.path != PART)}
        ),
    )
    said = _said(database, published)
    assert f"segment {segment_id} plays {PART}, which is not recorded" in said
    assert f"108p.m3u8 of segment {segment_id} names {PART}" in said
    assert f"names {segment_id}/{PART}, which is not recorded" in said


def test_a_part_over_the_target_duration_is_seen(
    database: Database, published: MemoryStore
) -> None:
    profile = {
        "targetDuration": 0,
        "fps": 8,
        "rungs": [{"name": "108p", "width": 192, "height": 108}],
    }
    database.write(lambda c: c.execute(update(scenes).values(profile=profile)))
    assert "over its target duration" in _said(database, published)


def test_a_variant_that_is_not_finished_is_seen(database: Database, published: MemoryStore) -> None:
    key = _key(database, VARIANT)
    cut = published.get_bytes(Bucket.VIDEOS, key, 1 << 20).replace(b"#EXT-X-ENDLIST\n", b"")
    stored = published.put_bytes(Bucket.VIDEOS, key, cut, content_type="x/y")

    def fitted(media: EncodedSegment) -> EncodedSegment:
        new = {"bytes": len(cut), "sha256": stored.sha256}
        files = [f.model_copy(update=new) if f.path == VARIANT else f for f in media.files]
        return media.model_copy(update={"files": tuple(files)})

    _change(database, fitted)
    assert "is not finished" in _said(database, published)
