"""The drawing plan: all decisions about one shot's picture, saved as the render's result."""

from __future__ import annotations

from collections.abc import Sequence

from inference.video.model import ShotRequest
from inference.video.storyboard.cast import FigurePlan, cast_of, people_of
from inference.video.storyboard.framing import Framing, Lens, framing_of, lens_of
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.places import setting_of
from inference.video.storyboard.words import things_in, weather_in
from storyforge.domain.bible import Place, SceneBible
from storyforge.domain.script import CameraMove, Light, Shot
from storyforge.domain.wire import Wire

PLAN_VERSION = 2
_MAX_WEATHERS = 2
_INDOORS = frozenset({"room", "station", "cave", "hall", "kitchen", "lamp_room"})
_LASTING = frozenset({"rain", "snow", "fog", "storm"})  # weather that the next shot shares


class DrawingPlan(Wire):
    """What to draw: place, air, people, camera, words; every random choice by seed.

    place_seed: the land; the same for every shot at a place. shot_seed: everything else.
    lens_zoom, lens_x: the enlargement of the scenery and where it looks, of the frame's width.
    """

    version: int = PLAN_VERSION
    preset: str
    palette: tuple[str, ...]
    light: Light
    camera: CameraMove
    framing: Framing = Framing.WIDE
    lens_zoom: float = 1.0
    lens_x: float = 0.5
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

    @property
    def dark_lamp(self) -> bool:
        """Whether the words say that the lighthouse's light is out."""
        return "dark_lamp" in self.things

    @property
    def lens(self) -> Lens:
        """The lens that the scenery is seen through."""
        return Lens(self.lens_zoom, self.lens_x)


def compose(request: ShotRequest) -> DrawingPlan:
    """Decide the picture of a shot from its words, the bible and the seed."""
    shot, bible = request.shot, request.bible
    place = place_of(shot.place, bible)
    words = _words(shot, bible)
    named = f"{place.name} {' '.join(place.aliases)}" if place else shot.place
    things = things_in(f"{named} {words}")
    people = len(people_of(shot, bible))
    setting, second = setting_of(request, place, words, things, people)
    framing = Framing.WIDE if setting == "boat" else framing_of(shot, request.index, people)
    narrow = request.width < request.height
    figures, unseen = cast_of(shot, bible, request.seed, framing, narrow=narrow)
    shot_seed = seed_of("shot", request.seed, request.index, shot.prompt) % (1 << 48)
    lens = lens_of(framing, request.index, shot_seed, people)
    home = place.id if place else (shot.place or setting)
    return DrawingPlan(
        preset=bible.style.preset.strip().lower(),
        palette=bible.style.palette,
        light=shot.light,
        camera=shot.camera,
        framing=framing,
        lens_zoom=lens.zoom,
        lens_x=lens.x,
        setting=setting,
        second_setting=second,
        weather=_weather(request, words),
        things=tuple(things),
        figures=figures,
        unseen=unseen,
        caption=shot.narration,
        place_name=place.name if place else shot.place,
        index=request.index,
        count=request.count,
        seconds=request.frames / request.fps,
        place_seed=seed_of("place", bible.title or request.title, home.casefold()) % (1 << 48),
        shot_seed=shot_seed,
        joins_previous=request.previous is not None,
    )


def _words(shot: Shot, bible: SceneBible) -> str:
    """What is told of a shot, without the look that its prompt shares with all others."""
    prompt = shot.prompt
    for phrase in (bible.style.visual, bible.style.tone, *(c.appearance for c in bible.characters)):
        core = phrase.strip().rstrip(".")
        if core:
            prompt = prompt.replace(core, " ").replace(core[:1].upper() + core[1:], " ")
    text = f"{shot.narration} {prompt}"
    for name in (one.name for one in bible.characters):
        text = text.replace(name, " ")  # Hazel is no haze
    return text


def _weather(request: ShotRequest, words: str) -> tuple[str, ...]:
    """The weather of the words; rain does not stop between two shots at a place."""
    told = weather_in(words)
    before = request.previous
    if before is not None and before.place == request.shot.place and not _LASTING & set(told):
        told += [one for one in weather_in(_words(before, request.bible)) if one in _LASTING]
    if not told:  # "wet asphalt": the weather that a story always has
        told = [one for one in weather_in(request.bible.style.visual) if one in _LASTING]
    return tuple(told[:_MAX_WEATHERS])


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


def caption_pages(lines: Sequence[str], lines_a_page: int) -> list[tuple[str, ...]]:
    """The lines of a caption in pages, the last ones evened out."""
    if not lines:
        return []
    pages = -(-len(lines) // lines_a_page)
    share = -(-len(lines) // pages)
    return [tuple(lines[at : at + share]) for at in range(0, len(lines), share)]
