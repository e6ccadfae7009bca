"""Speaks the narration of a script: one track for the whole segment, and the cues of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.language.rule_writer.tongue import language_of
from inference.narration.loudness import RATE_HZ, normalised, resampled
from inference.narration.voice import Line, Sound, Voice
from pipelines.files import SavedFile, describe, is_whole, write_whole
from pipelines.narration import Wanted, places, speeds, starts
from pipelines.stage_log import StageLog, run_once
from storyforge.domain.job import Stage
from storyforge.domain.presets import DEFAULT_VOICE, VOICES
from storyforge.domain.script import Script
from storyforge.domain.segment import Cue
from storyforge.domain.wire import Wire, content_hash

STAGE = Stage.NARRATE
_FULL_SCALE = 32767


class Narration(Wire):
    """What is said. track: 16-bit mono samples at 48 kHz, None where nobody speaks.

    cues: the lines as subtitles, spoken or not.
    """

    voice: str
    cues: tuple[Cue, ...]
    track: SavedFile | None = None


def narrate(
    script: Script, preset: str, voice: Voice, film_seconds: float, folder: Path, log: StageLog
) -> Narration:
    """Every line with its shot, none lost, at one loudness. Raises NarrationFailed, DiskFull.

    film_seconds: of the segment as it is filmed. preset: a voice's name; `none` or empty: subtitles
    alone.
    """
    preset = preset or DEFAULT_VOICE
    inputs = [voice.name, preset, script.to_json(), film_seconds]

    def work() -> Narration:
        log.step(STAGE, 0.0, "Speaking the narration.")
        lines = _lines(script)
        if preset == DEFAULT_VOICE or not lines:
            cues = [
                Cue(start=at.start_s, end=min(film_seconds, at.start_s + at.shot_s), text=text)
                for text, at in lines
                if at.start_s < film_seconds
            ]
            return Narration(voice="", cues=tuple(cues))
        track, spoken = _spoken(lines, preset, voice, film_seconds)
        target = folder / f"narration-{content_hash(inputs)[:12]}-e{log.epoch}.pcm"
        write_whole(target, lambda part: _write(part, track))
        return Narration(voice=voice.name, cues=spoken, track=describe(folder, target))

    def whole(found: Narration) -> bool:
        track = found.track
        return track is None or is_whole(folder, track.path, track.bytes, track.sha256)

    return run_once(log, STAGE, inputs, Narration, work, verify=whole)


def read_track(folder: Path, narration: Narration) -> Sound | None:
    """The saved track, or None where nobody speaks."""
    if narration.track is None:
        return None
    samples = np.fromfile(folder / narration.track.path, "<i2")
    return np.asarray(samples / _FULL_SCALE, np.float32)


def _lines(script: Script) -> list[tuple[str, Wanted]]:
    lengths = [shot.seconds for shot in script.shots]
    return [
        (shot.narration.strip(), Wanted(start, shot.seconds, 0.0))
        for shot, start in zip(script.shots, starts(lengths), strict=True)
        if shot.narration.strip()
    ]


def _spoken(
    lines: Sequence[tuple[str, Wanted]], preset: str, voice: Voice, film_seconds: float
) -> tuple[Sound, tuple[Cue, ...]]:
    style = VOICES[preset]
    language = language_of(" ".join(text for text, _ in lines))
    calm = [Line(text, language, style.pitch, style.words_per_minute) for text, _ in lines]
    measured = [speech.seconds for speech in voice.speak(calm)]
    wanted = [
        Wanted(at.start_s, at.shot_s, seconds)
        for (_, at), seconds in zip(lines, measured, strict=True)
    ]
    paced = [
        Line(line.text, language, line.pitch, line.words_per_minute, speed)
        for line, speed in zip(calm, speeds(wanted, film_seconds), strict=True)
    ]
    said = [resampled(speech.samples, speech.rate_hz) for speech in voice.speak(paced)]
    lengths = [len(samples) / RATE_HZ for samples in said]
    begins = places(wanted, lengths, film_seconds)
    track = np.zeros(round(film_seconds * RATE_HZ), np.float32)
    cues = []
    for text, begin, samples in zip((text for text, _ in lines), begins, said, strict=True):
        first = round(begin * RATE_HZ)
        heard = samples[: max(0, len(track) - first)]
        track[first : first + len(heard)] += heard
        cues.append(
            Cue(start=begin, end=min(film_seconds, begin + len(samples) / RATE_HZ), text=text)
        )
    return normalised(track), tuple(cues)


def _write(part: Path, track: Sound) -> None:
    (np.clip(track, -1, 1) * _FULL_SCALE).round().astype("<i2").tofile(part)
