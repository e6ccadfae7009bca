"""Clips for the gates' tests: sound ones of every hard kind, and one of each fault."""

from __future__ import annotations

import numpy as np

from inference.video.model import Frames

FRAMES, ROWS, COLUMNS = 24, 72, 128


def moving_picture(seed: int = 0, light: float = 1.0, speed: int = 1) -> Frames:
    """Broad shapes with a fine texture on them, panned by `speed` pixels a frame."""
    random = np.random.default_rng(seed)
    across = np.linspace(0, 2 * np.pi, 2 * COLUMNS)
    shapes = 120 + 70 * np.sin(across + seed)[None, :] * np.linspace(0.4, 1, ROWS)[:, None]
    wall = np.clip(shapes + random.normal(0, 6, shapes.shape), 0, 255) * light
    views = [wall[:, at * speed : at * speed + COLUMNS] for at in range(FRAMES)]
    return np.repeat(np.stack(views)[..., None], 3, axis=3).astype(np.uint8)


def night_with_stars() -> Frames:
    """A black sky with some stars over a ground that is hardly lighter; a cloud passes."""
    random = np.random.default_rng(1)
    sky = np.zeros((FRAMES, ROWS, COLUMNS), np.uint8)
    sky[:, ROWS * 2 // 3 :] = 4
    for row, column in zip(
        random.integers(0, 40, 30), random.integers(0, COLUMNS, 30), strict=True
    ):
        sky[:, row, column] = 200
    for at in range(FRAMES):
        sky[at, 10:14, at : at + 30] = 6
    return np.repeat(sky[..., None], 3, axis=3)


def fade_to_black() -> Frames:
    """A picture that is gone after two thirds of the clip."""
    light = np.clip(1 - np.arange(FRAMES) / (FRAMES * 2 / 3), 0, 1)
    return (moving_picture() * light[:, None, None, None]).astype(np.uint8)


def still_scene_with_a_candle() -> Frames:
    """A static camera on a still room; only a small flame flickers."""
    room = np.repeat(moving_picture(3)[:1], FRAMES, axis=0).copy()
    flicker = np.random.default_rng(2).integers(180, 255, FRAMES).astype(np.uint8)
    room[:, 30:42, 60:66] = flicker[:, None, None, None]
    return room


def shaken_leaves() -> Frames:
    """A fine texture all over that a handheld camera shakes: hardly any large shapes."""
    random = np.random.default_rng(4)
    leaves = random.integers(60, 200, (ROWS // 4 + 8, COLUMNS // 4 + 8)).astype(np.uint8)
    leaves = leaves.repeat(4, axis=0).repeat(4, axis=1)
    moves = random.integers(0, 2, (FRAMES, 2))
    views = [leaves[y : y + ROWS, x : x + COLUMNS] for y, x in moves]
    return np.repeat(np.stack(views)[..., None], 3, axis=3)


def black(noise: float = 0.0, level: int = 0) -> Frames:
    """Nothing but black, with what a decoder leaves of noise."""
    random = np.random.default_rng(5)
    frames = level + np.abs(random.normal(0, noise, (FRAMES, ROWS, COLUMNS, 3)))
    return frames.astype(np.uint8)


def frozen() -> Frames:
    """One good picture, again and again."""
    return np.repeat(moving_picture()[:1], FRAMES, axis=0)


def white_noise() -> Frames:
    """Every pixel on its own."""
    return np.random.default_rng(6).integers(0, 256, (FRAMES, ROWS, COLUMNS, 3)).astype(np.uint8)


def undenoised(patch: int = 8, held: int = 4) -> Frames:
    """What latents that were never denoised decode to: blobs that change every `held` frames.

    As many blobs as LTX has latent pixels in its native size; Wan has more.
    """
    random = np.random.default_rng(7)
    blobs = np.clip(random.normal(128, 45, (FRAMES // held, 22, 38, 3)), 0, 255).astype(np.uint8)
    return blobs.repeat(held, axis=0).repeat(patch, axis=1).repeat(patch, axis=2)
