"""Planning frames: no time is lost or won, whatever the shots' lengths."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pipelines.shot_plan import frame_counts, plan_shots
from pipelines.stages.preview import preview_size
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import GenerationJobPayload, JobConfig, JobContext
from storyforge.domain.script import Script, Shot
from tests.builders import PROFILE

LENGTHS = st.lists(st.floats(0.05, 30.0), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 60))
def test_frames_add_up_to_the_rounded_total_and_no_shot_is_empty(
    seconds: list[float], fps: int
) -> None:
    counts = frame_counts(seconds, fps)
    assert min(counts) >= 1
    if min(seconds) * fps >= 1:
        assert abs(sum(counts) - sum(seconds) * fps) <= 0.51


@given(st.integers(64, 4096), st.integers(64, 4096))
def test_previews_keep_the_shape_in_even_pixels(width: int, height: int) -> None:
    small = preview_size(width, height)
    assert small[0] % 2 == small[1] % 2 == 0
    assert small[1] <= 270
    assert abs(small[0] / small[1] - width / height) <= 2 / small[1] + 0.02 * width / height


def test_every_shot_knows_the_one_before_and_has_its_own_seed() -> None:
    shots = tuple(Shot(prompt=f"shot {n}", seconds=1.5) for n in range(3))
    payload = GenerationJobPayload(
        job_id=UUID(int=1),
        scene_id=UUID(int=2),
        text="t",
        segment_number=1,
        context=JobContext(scene_bible=SceneBible()),
        config=JobConfig(seed=7),
    )
    plan = plan_shots(payload, Script(shots=shots, writer="w"), SceneBible(), PROFILE)
    assert [request.previous for request in plan] == [None, shots[0], shots[1]]
    assert [request.seed for request in plan] == [7, 8, 9]
    assert {(request.width, request.height) for request in plan} == {(320, 180)}
    assert sum(request.frames for request in plan) == 108
