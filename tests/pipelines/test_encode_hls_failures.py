"""An encode that fails says why, ends at once and leaves neither threads nor handles behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference.video.model import Frames
from pipelines.encoding.hls import encode_hls
from storyforge.errors import DiskFull, EncodeFailed
from tests.pipelines.hls_checks import PROFILE, clip

FRAMES = 60


def encode(chunks: Iterator[Frames], into: Path, **changes: object) -> None:
    wanted = {"profile": PROFILE, "preset": "ultrafast", "on_frames": lambda _: None, **changes}
    encode_hls(chunks, into=into, **wanted)  # type: ignore[arg-type]


def held() -> tuple[int, int]:
    """How many threads and file handles this process has."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def nothing_left() -> Iterator[None]:
    before = held()
    yield
    assert held() == before


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("kind", [Cancelled, OSError, KeyboardInterrupt])
def test_what_the_producer_raises_comes_through_unchanged(
    tmp_path: Path, nothing_left: None, kind: type[BaseException]
) -> None:
    raised = kind("stop")

    def chunks() -> Iterator[Frames]:
        yield from clip(20)
        raise raised

    with pytest.raises(kind) as caught:
        encode(chunks(), tmp_path)
    assert caught.value is raised


@pytest.mark.parametrize("at", [0, 10, FRAMES])
def test_a_watcher_cancels_by_raising(tmp_path: Path, nothing_left: None, at: int) -> None:
    def watch(frames: int) -> None:
        if frames >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(clip(FRAMES), tmp_path, on_frames=watch)


def test_an_encoder_that_refuses_stops_an_endless_producer(
    tmp_path: Path, nothing_left: None
) -> None:
    def endless() -> Iterator[Frames]:
        while True:
            yield from clip(5)

    with pytest.raises(EncodeFailed) as caught:
        encode(endless(), tmp_path, preset="no-such-preset")
    assert caught.value.__cause__ is not None
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("full", ["108p_0001.ts", "54p_0002.ts", "thumbnail.jpg", "master.m3u8"])
def test_a_full_disk_is_named_whatever_file_it_hits(
    tmp_path: Path, nothing_left: None, full: str
) -> None:
    (tmp_path / full).symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        encode(clip(FRAMES), tmp_path)


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [np.zeros((1, 8, 8, 3), np.float32)],
        [np.zeros((8, 8, 3), np.uint8)],
        [np.zeros((1, 8, 8, 4), np.uint8)],
        [np.zeros((0, 8, 8, 3), np.uint8)],
    ],
    ids=["none", "floats", "no time axis", "alpha", "empty chunk"],
)
def test_what_is_not_film_is_refused(
    tmp_path: Path, nothing_left: None, chunks: list[Frames]
) -> None:
    with pytest.raises(EncodeFailed):
        encode(iter(chunks), tmp_path)
