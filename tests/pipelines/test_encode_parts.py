"""A damaged part is found before it is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.encoding.hls import encode_hls
from pipelines.encoding.parts import PACKET_BYTES, check_part
from storyforge.errors import EncodeFailed
from tests.pipelines.hls_checks import PROFILE, clip


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("part")
    encode_hls(clip(36), PROFILE, into, preset="ultrafast", on_frames=lambda _: None)
    return into / "108p_0001.ts"


def without_pid(data: bytes, pid: int) -> bytes:
    packets = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
    return b"".join(one for one in packets if int.from_bytes(one[1:3], "big") & 0x1FFF != pid)


def without_packet(data: bytes, number: int) -> bytes:
    return data[: number * PACKET_BYTES] + data[(number + 1) * PACKET_BYTES :]


def from_second_frame(data: bytes) -> bytes:
    packets = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
    starts = [
        place for place, one in enumerate(packets) if one[1] & 0x40 and one[1] & 1 and not one[2]
    ]
    return b"".join(packets[starts[1] :])


def test_a_whole_part_tells_its_frames_and_codecs(part: Path) -> None:
    check = check_part(part)
    assert (check.frames, check.bytes) == (24, part.stat().st_size)
    assert check.codecs.startswith("avc1.")
    assert check.codecs.endswith(",mp4a.40.2")
    assert check_part(part.with_name("108p_0002.ts")).frames == 12


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda data: b"", "within a packet"),
        (lambda data: data[:-1], "within a packet"),
        (lambda data: data[:PACKET_BYTES] + b"\0" + data[PACKET_BYTES + 1 :], "boundaries"),
        (lambda data: without_packet(data, 6), "lost packets"),
        (lambda data: without_pid(data, 0x100), "key frame"),
        (lambda data: without_pid(data, 0x101), "no sound"),
        (from_second_frame, "key frame"),
    ],
)
def test_damage_is_named(
    part: Path, tmp_path: Path, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    bad = tmp_path / "108p_0001.ts"
    bad.write_bytes(damage(part.read_bytes()))
    with pytest.raises(EncodeFailed, match=complaint) as caught:
        check_part(bad)
    assert "108p_0001.ts" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
