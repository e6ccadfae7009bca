"""The drawing plan: all decisions about one shot's picture, saved as the render's result."""

from __future__ import annotations

from collections.abc import Sequence

from inference.video.model import ShotRequest
from inference.video.storyboard.cast import FigurePlan, cast_of
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.words import settings_in, things_in, weather_in
from storyforge.domain.bible import Place, SceneBible
from storyforge.domain.script import CameraMove, Light
from storyforge.domain.wire import Wire

PLAN_VERSION = 1
_MAX_WEATHERS = 2
# What a preset shows when the words name no place at all.
_DEFAULT_SETTINGS = {"noir": "city", "scifi": "space", "pastel": "meadow", "ink": "mountains"}
_INDOORS = frozenset({"room", "station", "cave"})


class DrawingPlan(Wire):
    """What to draw: place, air, people, camera, words; every random choice by seed.

    place_seed: the land; the same for every shot at a place. shot_seed: everything else.
    """

    version: int = PLAN_VERSION
    preset: str
    palette: tuple[str, ...]
    light: Light
    camera: CameraMove
    setting: str
    second_setting: str
    weather: tuple[str, ...]
    things: tuple[str, ...]
    figures: tuple[FigurePlan, ...]
    unseen: int
    caption: str
    place_name: str
    index: int
    count: int
    seconds: float
    place_seed: int
    shot_seed: int
    joins_previous: bool

    @property
    def indoors(self) -> bool:
        """Whether there is a ceiling instead of a sky."""
        return self.setting in _INDOORS


def compose(request: ShotRequest) -> DrawingPlan:
    """Decide the picture of a shot from its words, the bible and the seed."""
    shot, bible = request.shot, request.bible
    place = place_of(shot.place, bible)
    settings = _settings(request, place)
    preset = bible.style.preset.strip().lower()
    setting = settings[0] if settings else _DEFAULT_SETTINGS.get(preset, "hills")
    words = f"{shot.prompt} {shot.narration}"
    weather = tuple(weather_in(words))[:_MAX_WEATHERS]
    figures, unseen = cast_of(shot, bible, request.seed)
    home = place.id if place else (shot.place or setting)
    return DrawingPlan(
        preset=preset,
        palette=bible.style.palette,
        light=shot.light,
        camera=shot.camera,
        setting=setting,
        second_setting=settings[1] if len(settings) > 1 else "",
        weather=weather,
        things=tuple(things_in(words)),
        figures=figures,
        unseen=unseen,
        caption=shot.narration,
        place_name=place.name if place else shot.place,
        index=request.index,
        count=request.count,
        seconds=request.frames / request.fps,
        place_seed=seed_of("place", bible.title or request.title, home.casefold()) % (1 << 48),
        shot_seed=seed_of("shot", request.seed, request.index, shot.prompt) % (1 << 48),
        joins_previous=request.previous is not None,
    )


def place_of(name: str, bible: SceneBible) -> Place | None:
    """The bible's place of an id, a name or an alias."""
    wanted = name.strip().casefold()
    for place in bible.places:
        if wanted and wanted in {
            place.id.casefold(),
            place.name.casefold(),
            *(alias.casefold() for alias in place.aliases),
        }:
            return place
    return None


def _settings(request: ShotRequest, place: Place | None) -> list[str]:
    """Kinds of place, from the nearest words outward: place, prompt, the shot before, the story."""
    shot, bible = request.shot, request.bible
    sources: Sequence[str] = (
        f"{place.name} {' '.join(place.aliases)}" if place else shot.place,
        shot.prompt,
        " ".join(place.facts) if place else "",
        shot.narration,
        f"{request.previous.place} {request.previous.prompt}" if request.previous else "",
        f"{bible.title} {request.title} {bible.style.visual}",
        bible.synopsis[:500],
    )
    found: list[str] = []
    for source in sources:
        found += [name for name in settings_in(source) if name not in found]
        if len(found) > 1:
            break
    afar = "space" in found or bible.style.preset.strip().lower() == "scifi"
    # A station elsewhere than in space has trains.
    return found if afar else ["city" if name == "station" else name for name in found]


def caption_pages(lines: Sequence[str], lines_a_page: int) -> list[tuple[str, ...]]:
    """The lines of a caption in pages, the last ones evened out."""
    if not lines:
        return []
    pages = -(-len(lines) // lines_a_page)
    share = -(-len(lines) // pages)
    return [tuple(lines[at : at + share]) for at in range(0, len(lines), share)]
