"""Which video model a setting means."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_cache.catalogue.read import read_catalogue
from models_cache.catalogue.records import VideoEntry, WriterEntry
from models_cache.locks import Pin, pin
from scheduler.video_choice import VideoChoice, choose_video
from storyforge.errors import NotFound, SetupProblem

CATALOGUE = read_catalogue(None)
VIDEO = next(one for one in CATALOGUE.entries.values() if isinstance(one, VideoEntry))
WRITER = next(one for one in CATALOGUE.entries.values() if isinstance(one, WriterEntry))


class Store:
    """A store that holds everything, or nothing."""

    def __init__(self, folder: Path, *, holds: bool = True) -> None:
        self._folder = folder
        self._holds = holds
        self.pins: list[Pin] = []

    def pin(self, name: str) -> Pin:
        if not self._holds:
            raise NotFound(f"{name} is not here.")
        self.pins.append(pin(self._folder))
        return self.pins[-1]

    def open(self, name: str) -> Path:
        assert self.pins, "pinned before it is opened"
        return self._folder / name


def test_nothing_and_a_folder_are_taken_as_they_are(tmp_path: Path) -> None:
    store = Store(tmp_path, holds=False)
    assert choose_video("", None, CATALOGUE, store) == VideoChoice()
    assert choose_video(str(tmp_path), 4, CATALOGUE, store) == VideoChoice(
        str(tmp_path), 4, name=tmp_path.name
    )


def test_a_catalogue_name_is_pinned_opened_and_brings_its_own_settings(tmp_path: Path) -> None:
    store = Store(tmp_path)
    try:
        choice = choose_video(VIDEO.repo, None, CATALOGUE, store)
        assert choice == VideoChoice(
            str(tmp_path / VIDEO.name),
            VIDEO.steps,
            VIDEO.guidance,
            VIDEO.shift,
            VIDEO.name,
            VIDEO,
        )
        assert choose_video(VIDEO.name, 7, CATALOGUE, store).steps == 7
    finally:
        for one in store.pins:
            one.release()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no/such-model", "neither a folder nor a model"),
        ("../etc", "neither a folder nor a model"),
        (WRITER.name, "does not film"),
        (VIDEO.name, f"storyforge models pull {VIDEO.name}"),
    ],
)
def test_what_cannot_film_is_refused_with_what_to_do(tmp_path: Path, spec: str, said: str) -> None:
    with pytest.raises(SetupProblem, match=said):
        choose_video(spec, None, CATALOGUE, Store(tmp_path, holds=False))
