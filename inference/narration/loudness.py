"""Loudness after ITU-R BS.1770-4, and a limiter that keeps the true peak under a ceiling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.narration.voice import Sound

RATE_HZ = 48_000
TARGET_LUFS = -16.0  # what streaming services ask for speech and music on small devices
CEILING = 10 ** (-1.5 / 20)  # true peak in front of a lossy codec: -1.5 dBTP
# The K-weighting at 48 kHz (BS.1770-4, tables 1 and 2): a shelf for the head, then a high pass.
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_BLOCK, _STEP = RATE_HZ * 2 // 5, RATE_HZ // 10  # 400 ms, each 100 ms
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
_OFFSET = -0.691
_CHANNELS = 2  # a mono voice is played by both
_OVERSAMPLING = 4
_LOOK_SAMPLES = 240  # 5 ms, in which the limiter's gain moves


def loudness_lufs(sound: Sound, channels: int = _CHANNELS) -> float:
    """Integrated loudness of mono samples at 48 kHz played by so many channels; -inf for silence."""
    weighted = _k_weighted(sound)
    if len(weighted) < _BLOCK:
        weighted = np.pad(weighted, (0, _BLOCK - len(weighted)))
    squares = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.arange(0, len(weighted) - _BLOCK + 1, _STEP)
    powers = channels * (squares[starts + _BLOCK] - squares[starts]) / _BLOCK
    loud = powers[_lufs(powers) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return float("-inf")
    gate = float(_lufs(loud.mean())) + _RELATIVE_GATE_LU
    return float(_lufs(loud[_lufs(loud) > gate].mean()))


def true_peak(sound: Sound) -> float:
    """The largest value between the samples too, by four-fold oversampling."""
    return float(np.abs(_oversampled(sound)).max(initial=0.0))


def normalised(sound: Sound) -> Sound:
    """The sound at -16 LUFS with its true peak under -1.5 dBTP; silence stays silence."""
    result = sound
    for _ in range(3):  # the limiter takes some loudness away again
        found = loudness_lufs(result)
        if not np.isfinite(found):
            return sound
        result = _limited((result * 10 ** ((TARGET_LUFS - found) / 20)).astype(np.float32))
    return result


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-20))


def _k_weighted(sound: Sound) -> NDArray[np.float64]:
    # In the frequency domain: a second of padding holds what rings on.
    length = 1 << int(np.ceil(np.log2(len(sound) + RATE_HZ)))
    spectrum = np.fft.rfft(sound, length)
    turn = np.exp(-2j * np.pi * np.arange(len(spectrum)) / length)
    for (b0, b1, b2), (a0, a1, a2) in (_SHELF, _HIGH_PASS):
        spectrum *= (b0 + b1 * turn + b2 * turn**2) / (a0 + a1 * turn + a2 * turn**2)
    return np.fft.irfft(spectrum, length)[: len(sound)]


def _oversampled(sound: Sound) -> NDArray[np.float64]:
    if not len(sound):
        return np.zeros(0)
    padded = np.pad(sound.astype(np.float64), _LOOK_SAMPLES)
    spectrum = np.fft.rfft(padded)
    count = len(padded) * _OVERSAMPLING
    fine = np.fft.irfft(spectrum, count) * _OVERSAMPLING
    return fine[_LOOK_SAMPLES * _OVERSAMPLING : -_LOOK_SAMPLES * _OVERSAMPLING]


def _limited(sound: Sound) -> Sound:
    fine = np.abs(_oversampled(sound)).reshape(-1, _OVERSAMPLING).max(axis=1)
    wanted = np.minimum(1.0, CEILING * 0.99 / np.maximum(fine, 1e-9))
    if wanted.min(initial=1.0) == 1.0:
        return sound
    held = _lowest_near(wanted)
    window = np.hanning(2 * _LOOK_SAMPLES + 1)
    smooth = np.convolve(
        np.pad(held, _LOOK_SAMPLES, mode="edge"), window / window.sum(), mode="valid"
    )
    return (sound * smooth).astype(np.float32)


def _lowest_near(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each sample the lowest gain within the look-ahead, to both sides."""
    width = 2 * _LOOK_SAMPLES + 1
    padded = np.pad(gains, _LOOK_SAMPLES, constant_values=1.0)
    lowest: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(padded, width).min(
        axis=1
    )
    return lowest


def resampled(sound: Sound, rate_hz: int) -> Sound:
    """Speech of another rate at 48 kHz."""
    if rate_hz == RATE_HZ or not len(sound):
        return sound
    count = round(len(sound) * RATE_HZ / rate_hz)
    scaled = np.fft.irfft(np.fft.rfft(sound), count) * (count / len(sound))
    return scaled.astype(np.float32)
