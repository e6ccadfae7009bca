"""What shots start from: the last frame of the segment before, the style frame, or said why not."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from inference.video.model import ShotRequest
from storyforge.database import segments as segment_rows
from storyforge.database.engine import Database
from storyforge.database.tables import jobs
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.film_record import FilmRecord, JoinKind, PictureSource
from storyforge.domain.job import JobState
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.storage.paths import last_frame_key, reference_key, style_frame_key
from storyforge.storage.store import Bucket
from tests.builders import accept, new_scene
from tests.scheduler.rig import FILM, PUBLISH, WRITE, FakeCamera, Rig

NONE, LAST, STYLE = PictureSource.NONE, PictureSource.LAST_FRAME, PictureSource.STYLE_FRAME


# Nothing here depends on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work", camera=FakeCamera(starts_from_picture=True))


def _scene(rig: Rig) -> UUID:
    return new_scene(rig.database).id


def _continued(rig: Rig, scene_id: UUID) -> UUID:
    job_id = accept(rig.database, scene_id).job.id
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE, rig.job(job_id).error
    return job_id


def _film(rig: Rig, scene_id: UUID) -> FilmRecord:
    with rig.database.read() as c:
        [row] = segment_rows.last_rows(c, scene_id, 1, before=1000)
    return FilmRecord.model_validate(row.film)


def _segment_id(rig: Rig, scene_id: UUID) -> UUID:
    with rig.database.read() as c:
        [row] = segment_rows.last_rows(c, scene_id, 1, before=1000)
    found: UUID = row.id
    return found


def _fail_in_encode(rig: Rig) -> None:
    """Render, and then fail once; the job waits until `_film_again`."""
    rig.failpoints = Failpoints(parse_failpoints("encode_hls:p1:unavailable"), rig.folder / "fp")
    rig.jobs = rig.jobs.model_copy(update={"backoff_s": 60.0})
    rig.drain(WRITE, FILM)


def _film_again(rig: Rig) -> None:
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain(FILM, PUBLISH)


def _requests(rig: Rig) -> list[ShotRequest]:
    seen: list[ShotRequest] = []
    rig.camera.before_render = seen.append
    return seen


def _put_style_frame(rig: Rig, scene_id: UUID, *, dark: bool = False) -> str:
    """What the fake camera shows too, as if it had started from it; or something darker."""
    data = io.BytesIO()
    across = np.abs(np.arange(128))
    row = 60 + 120 * np.exp(-across / 128 * 4)
    picture = (row * (0.8 if dark else 1))[None, :, None].repeat(128, axis=0).repeat(3, axis=2)
    picture = picture.astype(np.uint8)
    Image.fromarray(picture).save(data, "PNG")
    stored = rig.store.put_bytes(
        Bucket.ASSETS, style_frame_key(scene_id), data.getvalue(), content_type="image/png"
    )
    return stored.sha256


def _stored_last_frame(rig: Rig, scene_id: UUID) -> tuple[str, np.ndarray]:
    key = last_frame_key(scene_id, _segment_id(rig, scene_id))
    held = rig.store.head(Bucket.VIDEOS, key)
    assert held is not None
    data = rig.store.get_bytes(Bucket.VIDEOS, key, 1 << 20)
    with Image.open(io.BytesIO(data)) as image:
        return held.sha256, np.asarray(image)


def test_the_first_shot_starts_from_the_last_frame_before_it(rig: Rig) -> None:
    scene_id = _scene(rig)
    _continued(rig, scene_id)
    sha256, picture = _stored_last_frame(rig, scene_id)
    seen = _requests(rig)
    _continued(rig, scene_id)
    first, second = seen
    assert first.first_frame is not None
    assert first.first_frame_sha256 == sha256
    assert (second.first_frame, second.first_frame_sha256) == (None, "")
    starts = [shot.picture for shot in _film(rig, scene_id).shots]
    assert [(one.source, one.sha256) for one in starts] == [(LAST, sha256), (NONE, "")]
    assert [one.note for one in starts] == ["", "The scene has no style frame to start from."]
    assert picture.shape == (64, 64, 3)
    assert "continues the last picture" in _film(rig, scene_id).line


def test_the_stored_last_frame_is_lossless(rig: Rig) -> None:
    scene_id = _scene(rig)
    shown: list[np.ndarray] = []

    def note(_request: ShotRequest, frames: np.ndarray) -> np.ndarray:
        shown.append(frames[-1])
        return frames

    rig.camera.shown = note
    _continued(rig, scene_id)
    assert np.array_equal(_stored_last_frame(rig, scene_id)[1], shown[-1])


def test_later_shots_start_from_the_style_frame_and_their_first_from_nothing_better(
    rig: Rig,
) -> None:
    scene_id = _scene(rig)
    sha256 = _put_style_frame(rig, scene_id)
    _continued(rig, scene_id)
    assert [one.picture.source for one in _film(rig, scene_id).shots] == [STYLE, STYLE]
    _continued(rig, scene_id)
    film = _film(rig, scene_id)
    assert [one.picture.source for one in film.shots] == [LAST, STYLE]
    assert film.shots[1].picture.sha256 == sha256
    assert [one.join.kind for one in film.shots] == [JoinKind.CONTINUED, JoinKind.FROM_STYLE]
    assert all(one.join.to_last and one.join.to_style for one in film.shots)


def test_a_model_that_cannot_start_from_a_picture_says_so(rig: Rig) -> None:
    rig.camera = FakeCamera(name="words-only-1.3b")
    scene_id = _scene(rig)
    _put_style_frame(rig, scene_id)
    _continued(rig, scene_id)
    _continued(rig, scene_id)
    film = _film(rig, scene_id)
    assert [one.picture.source for one in film.shots] == [NONE, NONE]
    assert film.shots[0].picture.note == "words-only-1.3b cannot start from a picture."
    assert film.shots[0].join.to_last is not None, "the drift is measured all the same"
    assert film.shots[0].join.kind is JoinKind.SAME_SCENE


def test_a_damaged_or_missing_last_frame_is_done_without_and_noted(rig: Rig) -> None:
    scene_id = _scene(rig)
    _continued(rig, scene_id)
    key = last_frame_key(scene_id, _segment_id(rig, scene_id))
    rig.store.put_bytes(Bucket.VIDEOS, key, b"another picture", content_type="image/png")
    _continued(rig, scene_id)
    first = _film(rig, scene_id).shots[0].picture
    assert first.source is NONE
    assert "last frame cannot be used: It has checksum" in first.note
    rig.store.delete(Bucket.VIDEOS, last_frame_key(scene_id, _segment_id(rig, scene_id)))
    _continued(rig, scene_id)
    assert "last frame cannot be used" in _film(rig, scene_id).shots[0].picture.note


def test_what_is_no_picture_never_reaches_the_model(rig: Rig) -> None:
    scene_id = _scene(rig)
    rig.store.put_bytes(
        Bucket.ASSETS, style_frame_key(scene_id), b"<svg/>", content_type="image/png"
    )
    seen = _requests(rig)
    _continued(rig, scene_id)
    assert {one.first_frame for one in seen} == {None}
    assert "style frame cannot be used" in _film(rig, scene_id).shots[0].picture.note


def test_a_style_frame_that_changes_under_a_job_changes_nothing_of_it(rig: Rig) -> None:
    scene_id = _scene(rig)
    sha256 = _put_style_frame(rig, scene_id)
    job_id = accept(rig.database, scene_id).job.id
    _fail_in_encode(rig)
    _put_style_frame(rig, scene_id, dark=True)
    _film_again(rig)
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == [0, 1], "nothing was rendered again"
    assert _film(rig, scene_id).shots[0].picture.sha256 == sha256


def test_lost_pictures_are_fetched_again(rig: Rig) -> None:
    scene_id = _scene(rig)
    _put_style_frame(rig, scene_id)
    job_id = accept(rig.database, scene_id).job.id
    _fail_in_encode(rig)
    shutil.rmtree(rig.job_folder(job_id) / "pictures")
    _film_again(rig)
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == [0, 1]


def test_the_picture_is_part_of_the_key_of_a_saved_shot_and_its_path_is_not(rig: Rig) -> None:
    scene_id = _scene(rig)
    _put_style_frame(rig, scene_id)
    seen = _requests(rig)
    _continued(rig, scene_id)
    told = seen[0].to_json()
    assert told["firstFrameSha256"] == seen[0].first_frame_sha256 != ""
    assert seen[0].first_frame is not None
    assert str(rig.folder) not in str(told)


def test_a_characters_image_is_named_where_the_model_takes_none(rig: Rig) -> None:
    bible = SceneBible(characters=(Character(id="mira", name="Mira"),))
    scene_id = new_scene(rig.database, bible).id
    rig.store.put_bytes(
        Bucket.ASSETS, reference_key(scene_id, "mira"), b"a picture", content_type="image/png"
    )
    _continued(rig, scene_id)
    notes = [shot.picture.note for shot in _film(rig, scene_id).shots]
    assert all("takes no reference images of characters: those of mira" in note for note in notes)
