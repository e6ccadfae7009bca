"""Seeded randomness of the drawing: stable seeds, fractal lines and textures."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]


def seed_of(*parts: object) -> int:
    """A 63-bit seed that is the same for the same words, in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def random_of(*parts: object) -> np.random.Generator:
    """A generator seeded by words and numbers."""
    return np.random.default_rng(seed_of(*parts))


def fractal_line(x: Line, seed: int, octaves: int = 5, gain: float = 0.5) -> Line:
    """A fractal curve at `x` (period of its slowest wave about 1), values about -1..1."""
    rng = np.random.default_rng(seed)
    value = np.zeros_like(x)
    weight, total, frequency = 1.0, 0.0, 1.0
    for _ in range(octaves):
        knots = rng.uniform(-1, 1, 64)
        place = x * frequency + rng.uniform(0, 64)
        whole = np.floor(place).astype(np.int64)
        part = place - whole
        ease = part * part * (3 - 2 * part)
        value += weight * (knots[whole % 64] * (1 - ease) + knots[(whole + 1) % 64] * ease)
        total += weight
        weight *= gain
        frequency *= 2.03  # not 2, so that the octaves' knots do not line up
    return value / total


def ridged_line(x: Line, seed: int, octaves: int = 5) -> Line:
    """Sharp crests, 0..1: mountains rather than hills."""
    rng = np.random.default_rng(seed)
    value = np.zeros_like(x)
    weight, total, frequency = 1.0, 0.0, 1.0
    for octave in range(octaves):
        wave = fractal_line(x * frequency, int(rng.integers(1 << 40)) + octave, octaves=1)
        value += weight * (1.0 - np.abs(wave) * 1.8)
        total += weight
        weight *= 0.46
        frequency *= 2.1
    return np.clip(value / total, 0.0, 1.0)


def cloud_texture(height: int, width: int, cells: int, seed: int) -> NDArray[np.float32]:
    """Soft fractal noise [height, width], 0..1; `cells` blobs across the width."""
    rng = np.random.default_rng(seed)
    value = np.zeros((height, width), np.float32)
    weight, total = 1.0, 0.0
    across = max(2, cells)
    while across < min(width, 400):
        down = max(2, round(across * height / width))
        grid = rng.random((down + 3, across + 3), dtype=np.float32)
        value += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += weight
        weight *= 0.55
        across *= 2
    return np.asarray(np.clip(value / max(total, 1e-6), 0.0, 1.0), np.float32)


def paper_texture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Paper fibres [height, width], mean about 128: a tile that any layer can be multiplied by."""
    rng = np.random.default_rng(seed)
    fine = rng.standard_normal((height, width), dtype=np.float32)
    fibre = cv2.GaussianBlur(fine, (0, 0), sigmaX=2.2, sigmaY=0.7)
    across = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.1)
    blotch = cloud_texture(height, width, 6, seed + 1) - 0.5
    mixed = 128 + 14 * fibre + 10 * across + 8 * blotch
    return np.clip(mixed, 0, 255).astype(np.uint8)
