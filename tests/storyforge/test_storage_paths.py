"""Where objects lie, and under which names they are downloaded."""

from __future__ import annotations

from uuid import UUID

import pytest

from storyforge.storage import paths
from storyforge.storage.disposition import attachment
from storyforge.storage.keys import check_key, check_prefix

SCENE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
OTHER = UUID("01890A5D-AC96-774B-BCCE-B302099A8058")


def test_keys_follow_the_specification() -> None:
    base = f"videos/{SCENE}/01890a5d-ac96-774b-bcce-b302099a8058/"
    assert paths.segment_prefix(SCENE, OTHER) == base
    assert paths.master_key(SCENE, OTHER) == base + "master.m3u8"
    assert paths.rung_playlist_key(SCENE, OTHER, "720p") == base + "720p.m3u8"
    assert paths.part_key(SCENE, OTHER, "720p", 1) == base + "720p_0001.ts"
    assert paths.part_key(SCENE, OTHER, "720p", 12_345) == base + "720p_12345.ts"
    assert paths.thumbnail_key(SCENE, OTHER) == base + "thumbnail.jpg"
    assert (
        paths.reference_key(SCENE, "mira") == f"assets/scenes/{SCENE}/reference/character_mira.png"
    )
    assert paths.style_frame_key(SCENE) == f"assets/scenes/{SCENE}/reference/style_frame.png"


def test_every_key_is_allowed_and_below_its_scene() -> None:
    keys = [
        paths.master_key(SCENE, OTHER),
        paths.part_key(SCENE, OTHER, "1080p", 3),
        paths.preview_key(SCENE, OTHER, "a" * 64),
    ]
    for key in keys:
        assert check_key(key).startswith(paths.scene_prefix(SCENE))
    for key in (
        paths.reference_key(SCENE, "a_-B9"),
        paths.place_reference_key(SCENE, "x"),
        paths.style_frame_key(SCENE),
        paths.export_key(SCENE, OTHER),
    ):
        assert check_key(key) == key
    assert check_prefix(paths.scene_prefix(SCENE))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4", 'attachment; filename="film.mp4"'),
        ('a"b\\c/d\r\nX: y', 'attachment; filename="a_b_c_d__X: y"'),
        ("", 'attachment; filename="download"'),
        ("Höhle?.mp4", "attachment; filename=\"H_hle_.mp4\"; filename*=UTF-8''H%C3%B6hle%3F.mp4"),
    ],
)
def test_a_download_name_can_not_leave_its_header(name: str, expected: str) -> None:
    assert attachment(name) == expected
