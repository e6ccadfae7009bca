"""Saved files: whole or not there, and never trusted unchecked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.files import describe, is_whole, write_whole


def test_a_file_is_moved_into_place_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "result"

    def die_half_way(part: Path) -> None:
        part.write_bytes(b"half")
        raise RuntimeError("died")

    with pytest.raises(RuntimeError):
        write_whole(target, die_half_way)
    assert list(target.parent.iterdir()) == []
    write_whole(target, lambda part: part.write_bytes(b"whole") and None)
    assert target.read_bytes() == b"whole"


@pytest.mark.parametrize("damage", [b"", b"whole thinG", b"whole thing and more"])
def test_a_changed_file_is_not_whole(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "result"
    path.write_bytes(b"whole thing")
    saved = describe(tmp_path, path)
    assert is_whole(tmp_path, saved.path, saved.bytes, saved.sha256)
    path.write_bytes(damage)
    assert not is_whole(tmp_path, saved.path, saved.bytes, saved.sha256)
    path.unlink()
    assert not is_whole(tmp_path, saved.path, saved.bytes, saved.sha256)
