"""The storyboard renderer: exact frames, real camera moves, readable words, no bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.video.model import Frames, ShotRequest
from inference.video.storyboard.model import CHUNK_FRAMES, StoryboardModel
from inference.video.storyboard.plan import compose
from inference.video.storyboard.styles import STYLES
from storyforge.domain.bible import BibleStyle, Character, Place, SceneBible
from storyforge.domain.presets import STYLE_PRESETS
from storyforge.domain.script import CameraMove, Light, Shot
from storyforge.errors import RenderFailed

Shooter: TypeAlias = Callable[[ShotRequest], Frames]

MIRA = Character(id="mira", name="Mira", appearance="a girl in a red cloak with a hood")
FEN = Character(id="fen", name="Fen", appearance="an orange fox")
BIBLE = SceneBible(
    title="The lantern",
    characters=(MIRA, FEN),
    places=(Place(id="wood", name="The old forest", facts=("tall pines",)),),
)


def a_request(
    shot: Shot | None = None,
    *,
    bible: SceneBible = BIBLE,
    size: tuple[int, int] = (320, 180),
    frames: int = 12,
    seed: int = 7,
    previous: Shot | None = None,
) -> ShotRequest:
    return ShotRequest(
        shot=shot or Shot(prompt="Mira walks through the forest", characters=("mira",), seconds=1),
        index=0,
        count=2,
        bible=bible,
        width=size[0],
        height=size[1],
        fps=12,
        frames=frames,
        seed=seed,
        previous=previous,
    )


@pytest.fixture
def film(tmp_path: Path) -> Shooter:
    def run(request: ShotRequest) -> Frames:
        model = StoryboardModel()
        model.render(request, tmp_path / "plan.json", lambda _done, _total: None)
        chunks = list(model.frames(request, tmp_path / "plan.json"))
        assert all(len(chunk) <= CHUNK_FRAMES for chunk in chunks)
        return np.concatenate(chunks)

    return run


def middle(frames: Frames) -> NDArray[np.uint8]:
    """The upper part of the middle frame, without captions."""
    return frames[len(frames) // 2, : frames.shape[1] * 7 // 10]


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


@pytest.mark.parametrize(
    "size", [(64, 64), (128, 96), (480, 270), (832, 480), (270, 480), (720, 1280)]
)
def test_gives_exactly_the_frames_asked_for_at_any_even_size(
    film: Shooter, size: tuple[int, int]
) -> None:
    frames = film(a_request(size=size, frames=11))
    assert frames.shape == (11, size[1], size[0], 3)
    assert frames.dtype == np.uint8


def test_one_frame_is_a_film_too(film: Shooter) -> None:
    assert film(a_request(frames=1)).shape[0] == 1


def test_the_same_request_gives_the_same_pixels(film: Shooter) -> None:
    assert np.array_equal(film(a_request()), film(a_request()))


def test_another_seed_gives_another_film(film: Shooter) -> None:
    assert apart(film(a_request(seed=1)), film(a_request(seed=2))) > 2


def test_frames_can_be_drawn_again_from_the_saved_plan(tmp_path: Path) -> None:
    model, plan = StoryboardModel(), tmp_path / "plan.json"
    model.render(a_request(), plan, lambda _done, _total: None)
    one = np.concatenate(list(model.frames(a_request(), plan)))
    other = np.concatenate(list(StoryboardModel().frames(a_request(), plan)))
    assert np.array_equal(one, other)


def flow(film: Shooter, camera: CameraMove) -> tuple[float, float]:
    """How far the picture moves (right, down) in pixels over three frames in the middle."""
    shot = Shot(prompt="mountains over a lake", camera=camera, seconds=2)
    frames = film(a_request(shot, frames=24, size=(480, 270)))
    grey = [
        cv2.cvtColor(frames[at, 100:200], cv2.COLOR_RGB2GRAY).astype(np.float32) for at in (10, 13)
    ]
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(grey[0], grey[1], window)
    return right, down


def test_a_pan_to_the_left_moves_the_picture_right_and_the_other_way_round(film: Shooter) -> None:
    left, right = flow(film, CameraMove.PAN_LEFT)[0], flow(film, CameraMove.PAN_RIGHT)[0]
    assert left > 1
    assert right < -1


def test_a_tilt_up_moves_the_picture_down_and_the_other_way_round(film: Shooter) -> None:
    up, down = flow(film, CameraMove.TILT_UP)[1], flow(film, CameraMove.TILT_DOWN)[1]
    assert up > 0.6
    assert down < -0.6


def growth(film: Shooter, camera: CameraMove) -> float:
    """Magnification between two frames, from matched features."""
    shot = Shot(prompt="a village", camera=camera, seconds=2)
    frames = film(a_request(shot, frames=24, size=(640, 360)))
    grey = [cv2.cvtColor(frames[at, 60:250], cv2.COLOR_RGB2GRAY) for at in (4, 20)]
    points = cv2.goodFeaturesToTrack(grey[0], 200, 0.02, 6)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[1], points, None)
    good = found[:, 0] == 1
    matrix, _ = cv2.estimateAffinePartial2D(points[good], moved[good])
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def test_a_push_in_magnifies_and_a_pull_out_shrinks(film: Shooter) -> None:
    assert growth(film, CameraMove.PUSH_IN) > 1.03
    assert growth(film, CameraMove.PULL_OUT) < 0.97


@pytest.mark.parametrize("camera", list(CameraMove))
def test_no_camera_move_shows_the_edge_of_the_drawing_or_stands_still(
    film: Shooter, camera: CameraMove
) -> None:
    shot = Shot(prompt="the forest", camera=camera, seconds=2)
    frames = film(a_request(shot, frames=24))
    inner = frames[6:18]
    assert min(float(frame.std()) for frame in inner) > 12
    assert float(inner[:, :, :2].max()) > 40  # the outermost columns are painted
    assert float(inner[:, :, -2:].max()) > 40
    assert apart(frames[6], frames[17]) > 0.5


@pytest.mark.parametrize(
    "place",
    [
        "forest",
        "mountain",
        "hill",
        "meadow",
        "sea",
        "lake",
        "city",
        "street",
        "village",
        "castle",
        "desert",
        "room",
        "cave",
        "space",
        "station",
        "nothing",
    ],
)
def test_every_place_has_detail_and_is_not_dark(film: Shooter, place: str) -> None:
    shot = Shot(prompt=f"the {place}", place=place, seconds=1)
    picture = middle(film(a_request(shot, bible=SceneBible(), frames=3)))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert cv2.Laplacian(grey, cv2.CV_64F).var() > 20
    assert 25 < grey.mean() < 245
    assert grey.std() > 10


def test_the_presets_of_the_domain_are_the_styles_of_the_drawing() -> None:
    assert set(STYLE_PRESETS) == set(STYLES)


def test_every_style_and_light_looks_different(film: Shooter) -> None:
    pictures = {}
    for preset in STYLE_PRESETS:
        for light in Light:
            bible = SceneBible(style=BibleStyle(preset=preset))
            shot = Shot(prompt="a village by the lake", light=light, seconds=1)
            request = a_request(shot, bible=bible, frames=3, size=(160, 90))
            pictures[preset, light] = middle(film(request))
    keys = list(pictures)
    for at, one in enumerate(keys):
        for other in keys[at + 1 :]:
            assert apart(pictures[one], pictures[other]) > 4, (one, other)


def test_the_palette_of_the_bible_colours_the_picture(film: Shooter) -> None:
    warm = SceneBible(style=BibleStyle(palette=("#330000", "#ff2200", "#ffddcc")))
    cold = SceneBible(style=BibleStyle(palette=("#001133", "#0033ff", "#ccddff")))
    shot = Shot(prompt="hills", seconds=1)
    one = middle(film(a_request(shot, bible=warm, frames=3))).astype(float).mean(axis=(0, 1))
    other = middle(film(a_request(shot, bible=cold, frames=3))).astype(float).mean(axis=(0, 1))
    assert (one - other)[0] > 8
    assert (other - one)[2] > 8


def test_a_narration_changes_the_lower_third_and_little_else(film: Shooter) -> None:
    silent = Shot(prompt="the sea", seconds=1)
    told = silent.model_copy(update={"narration": "The tide came in at noon."})
    one, other = film(a_request(silent))[6], film(a_request(told))[6]
    assert apart(one[140:], other[140:]) > 8
    assert apart(one[:100], other[:100]) < 0.5


def test_a_long_narration_turns_pages(film: Shooter) -> None:
    words = " ".join(f"word{at}" for at in range(120))
    silent = Shot(prompt="the sea", seconds=4)
    told = silent.model_copy(update={"narration": words})
    plain = film(a_request(silent, frames=48)).astype(np.int16)
    over = film(a_request(told, frames=48)).astype(np.int16)
    words_at = [over[at, 140:] - plain[at, 140:] for at in (6, 40)]
    assert np.abs(words_at[0] - words_at[1]).mean() > 4


def test_who_is_in_the_shot_is_drawn(film: Shooter) -> None:
    empty = Shot(prompt="a meadow", seconds=1)
    with_mira = empty.model_copy(update={"characters": ("mira",)})
    with_fen = empty.model_copy(update={"characters": ("fen",)})
    nobody, mira, fen = (film(a_request(shot))[6] for shot in (empty, with_mira, with_fen))
    reddish = (mira[..., 0].astype(int) - mira[..., 1] > 90).sum()
    before = (nobody[..., 0].astype(int) - nobody[..., 1] > 90).sum()
    assert reddish > before + 200  # the red cloak
    assert apart(mira, fen) > 1.5
    assert apart(nobody, fen) > 1.5


def test_a_character_keeps_its_colours_from_shot_to_shot(film: Shooter) -> None:
    plans = [
        compose(
            a_request(
                Shot(prompt=prompt, characters=("Nobody Known",), seconds=1), bible=SceneBible()
            )
        ).figures[0]
        for prompt in ("a hill", "a lake")
    ]
    assert plans[0].cloth == plans[1].cloth
    assert plans[0].features == plans[1].features


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2000,
        "word " * 399,
        "\x00\x07\u202e\ufffe control \u200b",
        "👩‍🚀🌋🦊 emoji 🏳️‍🌈",
        "מעשה היה בנערה אחת.",
        "كان يا ما كان في قديم الزمان فتاة اسمها نور.",
        "एक समय की बात है, एक लड़की थी।",
        "从前，森林里住着一位老画家。",
        "むかしむかし、あるところに。",
        "옛날 옛적에 호랑이가 살았습니다.",
        "Жила-была девочка. Ήταν μια φορά. Bir varmış, bir yokmuş. Ngày xửa ngày xưa.",
    ],
)
def test_any_words_of_any_language_are_taken(film: Shooter, text: str) -> None:
    text = text[:2000]
    shot = Shot(
        prompt=text or "x", narration=text, place=text[:80], characters=(text[:40],), seconds=1
    )
    assert film(a_request(shot, frames=3)).shape[0] == 3


def test_sixty_unknown_characters_in_a_tiny_frame_are_taken(film: Shooter) -> None:
    names = tuple(f"Stranger {at}" for at in range(60))
    shot = Shot(prompt="a crowd", characters=names, narration="Many.", seconds=0.2)
    assert film(a_request(shot, size=(64, 64), frames=2)).shape == (2, 64, 64, 3)


def test_an_unknown_preset_gets_the_default_look(film: Shooter) -> None:
    odd = SceneBible(style=BibleStyle(preset="no such preset"))
    assert film(a_request(bible=odd, frames=2)).std() > 10


def test_a_watch_that_raises_stops_the_render(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def watch(_done: int, _total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        StoryboardModel().render(a_request(), tmp_path / "plan.json", watch)
    assert not (tmp_path / "plan.json").exists()


def test_the_watch_counts_to_its_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    StoryboardModel().render(a_request(), tmp_path / "p.json", lambda *step: seen.append(step))
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))


@pytest.mark.parametrize("size", [(321, 180), (320, 181), (8, 8), (0, 0)])
def test_sizes_that_cannot_be_drawn_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(RenderFailed, match="sides must be even"):
        StoryboardModel().render(a_request(size=size), tmp_path / "p.json", lambda *_: None)


@pytest.mark.parametrize("damage", ["", "{", '{"version": 1}', "\udcff"])
def test_a_damaged_plan_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(damage.encode("utf-8", "surrogateescape"))
    with pytest.raises(RenderFailed, match="render it again"):
        next(StoryboardModel().frames(a_request(), path))
