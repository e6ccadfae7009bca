"""Narration: each line with its shot, none lost, and audible in every rung of the film."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from uuid import UUID

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.narration.espeak import EspeakVoice
from inference.narration.loudness import RATE_HZ, TARGET_LUFS, loudness_lufs
from inference.narration.voice import FakeVoice, Sound
from pipelines.encoding.hls import encode_hls
from pipelines.narration import BOUNDS, PAUSE_S, Wanted, places, speeds, starts
from storyforge.database.engine import Database
from storyforge.domain.job import JobState
from storyforge.domain.segment import EncodedSegment
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket
from tests.builders import accept, new_scene
from tests.chaos.evidence import gather
from tests.pipelines.hls_checks import PROFILE, clip, ffmpeg_complaints
from tests.scheduler.rig import FILM, PUBLISH, WRITE, Rig

shots = st.lists(st.tuples(st.floats(0.5, 20), st.floats(0.2, 15)), min_size=1, max_size=12)


def planned(lengths: list[tuple[float, float]]) -> tuple[list[Wanted], float]:
    begins = starts([shot for shot, _ in lengths])
    lines = [Wanted(at, shot, spoken) for at, (shot, spoken) in zip(begins, lengths, strict=True)]
    return lines, sum(shot for shot, _ in lengths)


@given(shots)
def test_no_line_is_lost_and_no_two_speak_at_once(lengths: list[tuple[float, float]]) -> None:
    lines, film_s = planned(lengths)
    paces = speeds(lines, film_s)
    assert all(1.0 <= pace <= BOUNDS[-1] for pace in paces)
    said = [line.spoken_s / pace for line, pace in zip(lines, paces, strict=True)]
    begins = places(lines, said, film_s)
    if sum(said) + PAUSE_S * (len(said) - 1) > film_s:
        return  # more words than three times the pace can say
    ends = [begin + length for begin, length in zip(begins, said, strict=True)]
    assert ends[-1] <= film_s + 1e-6
    assert all(begin > end for end, begin in zip(ends[:-1], begins[1:], strict=True))
    assert begins[0] >= 0


def test_a_line_begins_with_its_shot_at_its_own_pace_where_there_is_room() -> None:
    lines, film_s = planned([(4, 3), (4, 2), (4, 3.9)])
    assert speeds(lines, film_s) == [1, 1, 1]
    assert places(lines, [3, 2, 3.9], film_s) == [0, 4, 8]


def test_a_line_too_long_is_hurried_a_little_then_runs_on_and_the_next_waits() -> None:
    lines, film_s = planned([(4, 5), (4, 8), (8, 2)])
    assert speeds(lines, film_s) == [1.25, 1.3, 1]
    begins = places(lines, [4, 6.2, 2], film_s)
    assert begins == pytest.approx([0, 4.15, 10.5])


def test_lines_begin_early_only_where_the_film_would_end_first() -> None:
    lines, film_s = planned([(6, 1), (2, 3)])
    assert places(lines, [1, 2.4], film_s) == pytest.approx([0, 5.6])


def heard(path: Path) -> Sound:
    """The sound of a part or film, mono at 48 kHz."""
    with av.open(str(path), "r", format="mpegts" if path.suffix == ".ts" else None) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).mean(axis=0).astype(np.float32)


def rms(sound: Sound, start_s: float, end_s: float) -> float:
    part = sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    return float(np.sqrt((part**2).mean()))


def test_the_track_is_heard_where_it_speaks_in_every_rung(tmp_path: Path) -> None:
    track = np.zeros(5 * RATE_HZ, np.float32)
    at_s = np.arange(RATE_HZ) / RATE_HZ
    track[2 * RATE_HZ : 3 * RATE_HZ] = 0.5 * np.sin(2 * np.pi * 440 * at_s)
    segment = encode_hls(
        clip(60), PROFILE, tmp_path, preset="ultrafast", sound=track, on_frames=lambda _: None
    )
    for media in segment.rungs:
        whole = tmp_path / f"{media.rung.name}.ts"
        whole.write_bytes(b"".join((tmp_path / part.uri).read_bytes() for part in media.parts))
        assert ffmpeg_complaints(whole) == ""
        sound = heard(whole)
        assert len(sound) >= 5 * RATE_HZ, "the sound is as long as the film"
        assert rms(sound, 2.2, 2.9) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
        assert max(rms(sound, 0.2, 1.8), rms(sound, 3.2, 4.8)) < 0.01


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("preset", ["narrator", "none"])
def test_a_job_speaks_its_shots_lines_at_one_loudness(
    preset: str, database: Database, tmp_path: Path
) -> None:
    rig = Rig(database, tmp_path / "work", voice=EspeakVoice())
    job_id = accept(
        database, new_scene(database).id, text="The fox waits.", seconds=8.0, voice=preset
    ).job.id
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    media = EncodedSegment.model_validate(gather(database).made_by(job_id)[0].media)
    sound = stored_sound(rig, job_id, media, tmp_path)
    assert [cue.text for cue in media.cues] == ["The fox waits."] * 2
    assert [round(cue.start, 1) for cue in media.cues] == [0.0, 4.0]
    if preset == "none":
        assert (media.voice, float(np.abs(sound).max())) == ("", 0.0)
        return
    assert media.voice.startswith("espeak-ng")
    for cue in media.cues:
        assert rms(sound, cue.start + 0.1, cue.end - 0.1) > 0.03
    for before, after in pairwise(media.cues):
        assert rms(sound, before.end + 0.2, after.start - 0.2) < 0.003
    assert loudness_lufs(sound) == pytest.approx(TARGET_LUFS, abs=1.0)


def stored_sound(rig: Rig, job_id: UUID, media: EncodedSegment, folder: Path) -> Sound:
    segment = gather(rig.database).made_by(job_id)[0]
    prefix = segment_prefix(segment.scene_id, segment.id)
    whole = folder / "whole.ts"
    parts = [part.uri for part in media.rungs[-1].parts]
    whole.write_bytes(
        b"".join(rig.store.get_bytes(Bucket.VIDEOS, prefix + uri, 1 << 24) for uri in parts)
    )
    return heard(whole)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rerun_speaks_nothing_again(database: Database, tmp_path: Path) -> None:
    class Counting(FakeVoice):
        asked = 0

        def speak(self, lines: object) -> object:  # type: ignore[override]
            self.asked += 1
            return super().speak(lines)  # type: ignore[arg-type]

    rig = Rig(database, tmp_path, voice=Counting())
    rig.camera.shown = lambda _request, _frames: (_ for _ in ()).throw(OSError("spoilt"))
    accept(database, new_scene(database).id, seconds=4.0, voice="narrator")
    rig.drain(WRITE, FILM)
    asked = rig.voice.asked  # type: ignore[attr-defined]
    rig.camera.shown = lambda _request, frames: frames
    rig.drain(FILM, PUBLISH)
    assert asked == 2
    assert rig.voice.asked == asked  # type: ignore[attr-defined]
