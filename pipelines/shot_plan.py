"""Plans which frames each shot of a script becomes."""

from __future__ import annotations

from collections.abc import Sequence

from inference.video.model import ShotRequest
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import GenerationJobPayload
from storyforge.domain.script import Script
from storyforge.domain.segment import HlsProfile


def frame_counts(seconds: Sequence[float], fps: int) -> tuple[int, ...]:
    """Whole frames per shot; their sum is the rounded total, so that no time is lost or won."""
    counts, told, given = [], 0.0, 0
    for length in seconds:
        told += length
        count = max(1, round(told * fps) - given)
        counts.append(count)
        given += count
    return tuple(counts)


def plan_shots(
    payload: GenerationJobPayload,
    script: Script,
    bible: SceneBible,
    profile: HlsProfile,
    *,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
) -> tuple[ShotRequest, ...]:
    """One request per shot, at the profile's top rung unless another size (w, h) or fps is given.

    Every shot has its own seed, from the job's.
    """
    width, height = size or (profile.rungs[0].width, profile.rungs[0].height)
    rate = fps or profile.fps
    counts = frame_counts([shot.seconds for shot in script.shots], rate)
    return tuple(
        ShotRequest(
            shot=shot,
            previous=script.shots[index - 1] if index else None,
            index=index,
            count=len(script.shots),
            bible=bible,
            title=payload.title,
            width=width,
            height=height,
            fps=rate,
            frames=counts[index],
            seed=payload.config.seed + index,
        )
        for index, shot in enumerate(script.shots)
    )
