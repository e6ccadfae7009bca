"""Playlists that only grow, and rates that hold."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge.domain.segment import EncodedSegment, HlsProfile, Part, Rung, RungMedia
from storyforge.playlists import (
    RungRates,
    scene_header,
    scene_master,
    scene_rates,
    scene_rung_playlist,
    scene_tail,
    segment_block,
    segment_master,
    variant_playlist,
)
from tests.pipelines.hls_checks import peak_bps

FPS = 24
TALL, SMALL = Rung(name="720p", width=1280, height=720), Rung(name="240p", width=426, height=240)
PROFILE = HlsProfile(fps=FPS, rungs=(TALL, SMALL), gop_seconds=2, target_duration=2)


def rung_media(sizes: list[int], tail_frames: int = 48, rung: Rung = TALL) -> RungMedia:
    """Parts of two seconds with these sizes in bytes; the last one has `tail_frames`."""
    parts = tuple(
        Part(
            uri=f"{rung.name}_{number:04d}.ts",
            seconds=2.0 if number < len(sizes) else tail_frames / FPS,
            bytes=size,
        )
        for number, size in enumerate(sizes, 1)
    )
    rates = RungRates.of(
        RungMedia(rung=rung, codecs="x", bandwidth=0, average_bandwidth=0, parts=parts), PROFILE
    )
    return RungMedia(
        rung=rung,
        codecs="avc1.64001f,mp4a.40.2",
        bandwidth=rates.bandwidth,
        average_bandwidth=rates.average_bandwidth,
        parts=parts,
    )


media = st.builds(
    rung_media,
    st.lists(st.integers(188, 2_000_000), min_size=1, max_size=6),
    st.integers(1, 48),
)
scenes = st.lists(st.tuples(st.uuids(), media), min_size=1, max_size=6)


def in_folder(segment_id: UUID) -> str:
    return f"../{segment_id}/"


def test_a_segments_own_playlist_is_a_finished_vod() -> None:
    text = variant_playlist(rung_media([1000, 500], tail_frames=7), PROFILE)
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXTINF:2.000000,\n720p_0001.ts\n#EXTINF:0.291667,\n720p_0002.ts\n#EXT-X-ENDLIST\n"
    )


def test_an_open_scene_is_an_event_that_starts_at_its_beginning() -> None:
    first, second = UUID(int=1), UUID(int=2)
    entries = [(first, rung_media([1000])), (second, rung_media([500, 400]))]
    text = scene_rung_playlist(entries, PROFILE, ended=False, prefix=in_folder)
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n"
        f"#EXTINF:2.000000,\n../{first}/720p_0001.ts\n"
        "#EXT-X-DISCONTINUITY\n"
        f"#EXTINF:2.000000,\n../{second}/720p_0001.ts\n"
        f"#EXTINF:2.000000,\n../{second}/720p_0002.ts\n"
    )


@given(scenes)
def test_an_open_scene_only_ever_appends(entries: list[tuple[UUID, RungMedia]]) -> None:
    texts = [
        scene_rung_playlist(entries[:count], PROFILE, ended=False, prefix=in_folder)
        for count in range(len(entries) + 1)
    ]
    for before, after in pairwise(texts):
        assert after.startswith(before)
        assert len(after) > len(before)
        assert "ENDLIST" not in after


@given(scenes)
def test_a_cache_that_appends_blocks_gets_the_same_text(
    entries: list[tuple[UUID, RungMedia]],
) -> None:
    kept = scene_header(PROFILE, ended=False)
    for number, (segment_id, rung) in enumerate(entries):
        kept += segment_block(rung.parts, in_folder(segment_id), first=number == 0)
    assert kept == scene_rung_playlist(entries, PROFILE, ended=False, prefix=in_folder)


@given(scenes)
def test_the_end_changes_only_the_type_and_closes_the_list(
    entries: list[tuple[UUID, RungMedia]],
) -> None:
    still_open = scene_rung_playlist(entries, PROFILE, ended=False, prefix=in_folder)
    ended = scene_rung_playlist(entries, PROFILE, ended=True, prefix=in_folder)
    assert ended == still_open.replace("TYPE:EVENT", "TYPE:VOD") + scene_tail()


@given(scenes)
def test_no_part_is_longer_than_the_target(entries: list[tuple[UUID, RungMedia]]) -> None:
    text = scene_rung_playlist(entries, PROFILE, ended=False, prefix=in_folder)
    lines = text.splitlines()
    lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    assert all(round(seconds) <= PROFILE.target_duration for seconds in lengths)
    assert len(lengths) == sum(len(rung.parts) for _, rung in entries)
    assert lines.count("#EXT-X-DISCONTINUITY") == len(entries) - 1


@given(scenes)
def test_rates_over_a_scene_are_those_of_all_its_parts_in_a_row(
    entries: list[tuple[UUID, RungMedia]],
) -> None:
    rates = scene_rates(([rung] for _, rung in entries), PROFILE)["720p"]
    parts = [part for _, rung in entries for part in rung.parts]
    average = sum(part.bytes for part in parts) * 8 / sum(part.seconds for part in parts)
    assert average <= rates.average_bandwidth + 1e-6 < average + 2  # rounded up
    peak = max(average, peak_bps(parts, 2))
    assert peak <= rates.bandwidth + 1e-6 < peak + 2
    assert rates.bandwidth >= rates.average_bandwidth


def test_a_run_over_a_join_counts() -> None:
    # half a second at a high rate, then two seconds: only together do they make the peak
    segments = [[rung_media([100_000, 400_000], tail_frames=12)], [rung_media([500_000])]]
    alone = max(one[0].bandwidth for one in segments)
    assert scene_rates(segments, PROFILE)["720p"].bandwidth == 900_000 * 8 / 2.5
    assert alone < 900_000 * 8 / 2.5


def test_masters_tell_rates_codecs_and_sizes_tallest_first() -> None:
    tall, small = rung_media([300_000, 200_000]), rung_media([30_000, 20_000], rung=SMALL)
    segment = EncodedSegment(profile=PROFILE, frames=96, seconds=4.0, rungs=(tall, small), files=())
    assert segment_master(segment) == (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1200000,AVERAGE-BANDWIDTH=1000000,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=24.000,'
        "CLOSED-CAPTIONS=NONE\n720p.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=120000,AVERAGE-BANDWIDTH=100000,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=24.000,'
        "CLOSED-CAPTIONS=NONE\n240p.m3u8\n"
    )
    rates = scene_rates([segment.rungs], PROFILE)
    text = scene_master(PROFILE, rates, lambda rung: f"rungs/{rung.name}.m3u8?rev=1")
    assert "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n" in text
    assert text.splitlines()[-3::2] == ["rungs/720p.m3u8?rev=1", "rungs/240p.m3u8?rev=1"]
    assert "BANDWIDTH=1200000,AVERAGE-BANDWIDTH=1000000," in text


def test_a_scene_without_segments_has_a_header_and_no_rates() -> None:
    assert scene_rung_playlist([], PROFILE, ended=False, prefix=in_folder) == scene_header(
        PROFILE, ended=False
    )
    assert "STREAM-INF" not in scene_master(PROFILE, {}, lambda rung: rung.name)
    assert RungRates(2).bandwidth == RungRates(2).average_bandwidth == 0


def test_ten_thousand_segments_give_one_text() -> None:
    one = rung_media([1000, 900, 800], tail_frames=5)
    entries = [(uuid4(), one) for _ in range(10_000)]
    text = scene_rung_playlist(entries, PROFILE, ended=True, prefix=in_folder)
    assert text.count("#EXTINF") == 30_000
    assert text.count("DISCONTINUITY") == 9_999
    rates = scene_rates(([one] for _ in entries), PROFILE)["720p"]
    assert rates.seconds == pytest.approx(10_000 * (4 + 5 / 24))
