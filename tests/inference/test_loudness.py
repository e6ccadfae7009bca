"""Loudness as BS.1770 defines it, on signals whose loudness is known."""

from __future__ import annotations

import numpy as np
import pytest

from inference.narration.loudness import (
    RATE_HZ,
    TARGET_LUFS,
    loudness_lufs,
    normalised,
    resampled,
    true_peak,
)
from inference.narration.voice import FakeVoice, Line, Sound


def sine(seconds: float, hz: float = 997.0, peak: float = 1.0, phase: float = 0.0) -> Sound:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * hz * at_s + phase)).astype(np.float32)


@pytest.mark.parametrize("peak_db", [0.0, -20.0, -40.0])
def test_a_full_scale_tone_in_one_channel_has_minus_3_01_lufs(peak_db: float) -> None:
    """The calibration of BS.1770: a 997 Hz sine at 0 dB full scale in one front channel."""
    tone = sine(5, peak=10 ** (peak_db / 20))
    assert loudness_lufs(tone, channels=1) == pytest.approx(-3.01 + peak_db, abs=0.02)
    assert loudness_lufs(tone, channels=2) == pytest.approx(peak_db, abs=0.02)


def test_silence_between_the_words_does_not_count() -> None:
    """EBU Tech 3341: what lies 10 LU under the loud parts is gated out."""
    tone = sine(10, peak=0.1)
    with_pauses = np.concatenate([tone, np.zeros(RATE_HZ * 30, np.float32)])
    assert loudness_lufs(with_pauses) == pytest.approx(loudness_lufs(tone), abs=0.1)
    quiet = np.concatenate([sine(10, peak=0.0003), tone])
    assert loudness_lufs(quiet) == pytest.approx(loudness_lufs(tone), abs=0.1)
    assert loudness_lufs(np.zeros(RATE_HZ, np.float32)) == float("-inf")


def test_low_tones_count_less_and_high_ones_more() -> None:
    low, middle, high = (loudness_lufs(sine(3, hz, 0.1)) for hz in (40.0, 997.0, 6000.0))
    assert low < middle - 4
    assert high == pytest.approx(middle + 3.3, abs=0.5)


def test_the_true_peak_lies_between_the_samples() -> None:
    """A quarter of the rate, shifted by 45 degrees: samples at 0.707, the wave at 1."""
    tone = sine(1, RATE_HZ / 4, phase=np.pi / 4) * np.hanning(RATE_HZ).astype(np.float32)
    assert float(np.abs(tone).max()) < 0.72
    assert true_peak(tone) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("gain", [0.01, 0.3, 1.0])
def test_speech_comes_to_the_target_and_stays_under_the_ceiling(gain: float) -> None:
    (hum,) = FakeVoice().speak([Line("a" * 40)])
    bursts = resampled(hum.samples, hum.rate_hz) * gain
    bursts[:: RATE_HZ // 50] *= 3  # clicks well over the rest
    result = normalised(bursts)
    assert loudness_lufs(result) == pytest.approx(TARGET_LUFS, abs=0.5)
    assert true_peak(result) <= 10 ** (-1.0 / 20)


def test_silence_stays_silence() -> None:
    assert not normalised(np.zeros(RATE_HZ, np.float32)).any()


def test_another_rate_keeps_length_and_tone() -> None:
    (hum,) = FakeVoice().speak([Line("abcdefghij")])
    made = resampled(hum.samples, hum.rate_hz)
    assert len(made) == round(hum.seconds * RATE_HZ)
    strongest = np.argmax(np.abs(np.fft.rfft(made))) * RATE_HZ / len(made)
    assert strongest == pytest.approx(300, abs=2)
