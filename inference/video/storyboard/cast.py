"""Who is in the shot, how large and where."""

from __future__ import annotations

from inference.video.storyboard.extras import extras_in, meant_by_noun
from inference.video.storyboard.framing import Framing
from inference.video.storyboard.looks import PEOPLE, has, looks_of, words_of
from inference.video.storyboard.noise import random_of
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.script import CameraMove, Shot
from storyforge.domain.wire import Wire

MAX_FIGURES = 5  # more would hide each other; the slate counts the rest


class FigurePlan(Wire):
    """One figure: name, kind, colours and features; where it stands and what it does.

    named_colours: how many of the two colours the bible's words gave. place: -1 (left) to 1
    (right). size: of the frame's unit. walking: steps or stands. name: empty for somebody who
    is only named by a noun.
    """

    name: str
    kind: str
    cloth: str
    second: str
    named_colours: int
    hair: str
    skin: str
    features: tuple[str, ...]
    place: float
    size: float
    faces_right: bool
    walking: bool
    phase: float

    @property
    def tall(self) -> float:
        """Height over the feet, of the frame's unit."""
        return self.size * _TALL.get(self.kind, 0.98)


# Creatures beside people of size 1, and how much of that size they are tall.
_SIZES = {
    "fox": 0.62,
    "wolf": 0.85,
    "dog": 0.70,
    "cat": 0.55,
    "rabbit": 0.6,
    "mouse": 0.42,
    "bird": 0.55,
    "bear": 0.92,
    "deer": 1.05,
    "camel": 1.2,
    "horse": 1.2,
    "dragon": 1.5,
}
_TALL = {
    "fox": 0.68,
    "wolf": 0.80,
    "dog": 0.68,
    "cat": 0.66,
    "rabbit": 0.70,
    "mouse": 0.60,
    "bird": 0.72,
    "bear": 0.98,
    "deer": 1.25,
    "camel": 1.1,
    "horse": 1.25,
    "dragon": 1.2,
}
_WIDE_SIZES = (0.44, 0.40, 0.36, 0.33, 0.31)
# Height of the tallest, of the frame's unit, by the number of figures.
_HEIGHTS = {
    Framing.MEDIUM: (0.80, 0.74, 0.62, 0.5, 0.45),
    Framing.CLOSE: (1.25, 0.95, 0.75, 0.55, 0.5),
}
_BEAST_HEIGHTS = {Framing.MEDIUM: 0.52, Framing.CLOSE: 0.62}  # they are longer than tall
_NARROW = 0.66
_ASIDE = {Framing.WIDE: 0.30, Framing.MEDIUM: 0.24, Framing.CLOSE: 0.17}
_WIDEST_BEAST = 0.46  # of the unit: the height of a horse or stag in a wide view
_LEAST_SHARE = 0.55  # of the tallest, in nearer views: a small friend stays in the picture
_WALK = (
    "walk run$ runs ran$ step$ steps stepp stride wander march hurr follow chase cross geht$ l\u00e4uft"
    " lief ging$ wander rennt eilt march cour$ courut suivi camin corri\u00f3 anda$ \u0438\u0434\u0451\u0442 \u0438\u0434\u0435\u0442 \u0448\u0451\u043b \u0448\u0435\u043b"
    " \u0431\u0435\u0436 \u8d70 \u8dd1 \u6b69 \uac77 \ub2ec"
)


def find_character(name: str, bible: SceneBible) -> Character | None:
    """The bible's character of an id, a name or an alias."""
    wanted = name.strip().casefold()
    for one in bible.characters:
        if wanted in {one.id.casefold(), one.name.casefold(), *(a.casefold() for a in one.aliases)}:
            return one
    return None


def people_of(shot: Shot, bible: SceneBible) -> list[dict[str, object]]:
    """The looks of everybody in a shot: its characters, then whom its words only name by a noun."""
    people: dict[str, dict[str, object]] = {}
    for name in shot.characters:
        if not name.strip():
            continue
        known = find_character(name, bible)
        key = known.id if known else name.strip().casefold()
        looks = _looks(known) if known else looks_of(key, name, "", "")
        people.setdefault(key, {**looks, "name": known.name if known else name})
    told = shot.narration or shot.prompt
    if not people:
        for one in meant_by_noun(told, bible.characters):
            people[one.id] = {**_looks(one), "name": one.name}
    kinds = {str(one["kind"]) for one in people.values()}
    kinds |= {str(_looks(one)["kind"]) for one in bible.characters}
    return [*people.values(), *extras_in(told, kinds, alone=not people)]


def _looks(known: Character) -> dict[str, object]:
    return looks_of(known.id, known.name, known.appearance, " ".join(known.traits))


def cast_of(
    shot: Shot,
    bible: SceneBible,
    seed: int,
    framing: Framing = Framing.WIDE,
    *,
    narrow: bool = False,
) -> tuple[tuple[FigurePlan, ...], int]:
    """The figures to draw, left to right, and how many found no room.

    narrow: the frame is taller than wide, so that long animals must be smaller.
    """
    people = people_of(shot, bible)
    shown = people[:MAX_FIGURES]
    tokens, text = words_of(shot.narration or shot.prompt)
    walks = shot.camera is CameraMove.TRACKING or has(_WALK, tokens, text)
    rng = random_of("cast", seed, shot.prompt)
    side = float(rng.choice((-1.0, 1.0)))
    sizes = _sizes(shown, framing, narrow=narrow)
    figures = []
    for at, looks in enumerate(shown):
        place = _place(at, len(shown), side, framing) + float(rng.uniform(-0.04, 0.04))
        figures.append(
            FigurePlan.model_validate(
                {
                    **looks,
                    "place": round(place, 3),
                    "size": round(sizes[at], 3),
                    "faces_right": place < 0 or shot.camera is CameraMove.TRACKING,
                    "walking": walks and framing is Framing.WIDE,
                    "phase": round(float(rng.uniform(0, 6.28)), 3),
                }
            )
        )
    return tuple(figures), max(0, len(people) - len(shown))


def _sizes(shown: list[dict[str, object]], framing: Framing, *, narrow: bool) -> list[float]:
    """The size of each figure, of the frame's unit."""
    if not shown:
        return []
    kinds = [str(one["kind"]) for one in shown]
    natural = [
        _WIDE_SIZES[len(shown) - 1]
        * _SIZES.get(str(one["kind"]), 1.0)
        * (0.74 if "child" in _features(one) else 1.0)
        for one in shown
    ]
    if framing is Framing.WIDE:
        return [
            size * min(1.0, _WIDEST_BEAST / (size * _TALL.get(kind, 0.98)))
            if kind not in PEOPLE and kind != "dragon"
            else size
            for size, kind in zip(natural, kinds, strict=True)
        ]
    heights = [size * _TALL.get(kind, 0.98) for size, kind in zip(natural, kinds, strict=True)]
    tallest = max(heights)
    goal = _HEIGHTS[framing][len(shown) - 1]
    if not set(kinds) & PEOPLE:
        goal = min(goal, _BEAST_HEIGHTS[framing]) * (_NARROW if narrow else 1.0)
    return [
        size * goal / tallest * max(1.0, _LEAST_SHARE * tallest / height)
        for size, height in zip(natural, heights, strict=True)
    ]


def _features(looks: dict[str, object]) -> tuple[object, ...]:
    features = looks["features"]
    return features if isinstance(features, tuple) else ()


def _place(at: int, count: int, side: float, framing: Framing) -> float:
    if count == 1:
        return side * _ASIDE[framing]
    if count == 2:  # noqa: PLR2004 - a pair
        reach = 0.34 if framing is Framing.WIDE else 0.50
        return (-reach, reach)[at]
    return -0.62 + 1.24 * at / (count - 1)
