"""Scenery: the layers of a place, from the horizon to the lens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inference.video.storyboard.buildings import castle, village
from inference.video.storyboard.cosmos import alien_ground, space_layers
from inference.video.storyboard.interiors import INTERIORS
from inference.video.storyboard.layers import Sheet
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.platform import platform
from inference.video.storyboard.sky import HORIZON, flock, sky_layers
from inference.video.storyboard.stand import (
    Layers,
    Stand,
    aside,
    far_range,
    is_future,
    is_old,
    trees_of,
)
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import foreground_grass, hills, meadow, mist, mountains
from inference.video.storyboard.town import skyline, street_lamps
from inference.video.storyboard.trees import framing_trees, tree_line
from inference.video.storyboard.water import pool
from inference.video.storyboard.waterside import WATERSIDES

GROUND = 0.788  # of the frame's height: where figures stand
_BUILT = frozenset({"deck", "boat", "pier", "bridge", "rooftop"})  # no haze over what is at hand


def scenery_layers(plan: DrawingPlan, sheet: Sheet, paint: Paint) -> Layers:
    """The layers behind the figures and those before them."""
    stand = Stand(plan, sheet, paint)
    behind, before = _PLACES.get(plan.setting, _hills)(stand)
    if plan.setting == "space":
        return behind, before
    overcast = bool(set(plan.weather) & {"rain", "storm", "fog"})
    if not plan.indoors and plan.figures and plan.setting not in _BUILT:
        behind.append(mist(sheet, paint, GROUND))
    sky = sky_layers(sheet, paint, plan.shot_seed, overcast=overcast, moon="moon" in plan.things)
    if "birds" in plan.things and not plan.indoors:
        sky.append(flock(sheet, paint, plan.shot_seed))
    return [*sky, *behind], before


def _forest(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    kinds = trees_of(stand)
    behind = [far_range(stand, 0.24)]
    behind.append(
        tree_line(sheet, paint, seed + 2, 0.22, 0.66, 0.30, kinds, density=1.5, surface="pine")
    )
    if stand.plan.second_setting == "village":
        behind.append(village(sheet, paint, seed + 8, 0.42, 0.71, 0.15))
    behind.append(tree_line(sheet, paint, seed + 3, 0.42, 0.70, 0.46, kinds, clearing=0.06))
    behind.append(
        tree_line(sheet, paint, seed + 4, 0.66, 0.755, 0.66, kinds, density=0.8, clearing=0.22)
    )
    behind.append(meadow(sheet, paint, seed + 5, 0.86, 0.80, flowers=not stand.bleak))
    before = [
        *framing_trees(sheet, paint, seed, bare=stand.bleak),
        foreground_grass(sheet, paint, seed),
    ]
    return behind, before


def _mountains(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = [
        mountains(sheet, paint, seed + 1, 0.10, HORIZON + 0.02, 0.50, "rock"),
        mountains(sheet, paint, seed + 2, 0.30, HORIZON + 0.07, 0.34, "rock"),
        tree_line(sheet, paint, seed + 3, 0.50, 0.73, 0.16, ("pine",), density=1.6, surface="pine"),
        meadow(sheet, paint, seed + 4, 0.86, 0.80, flowers=not stand.bleak),
    ]
    return behind, [foreground_grass(sheet, paint, seed)]


def _hills(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = [
        far_range(stand),
        hills(sheet, paint, seed + 2, 0.28, 0.66, 0.16, "pine")[0],
        hills(sheet, paint, seed + 3, 0.46, 0.72, 0.15, "leaf")[0],
        tree_line(
            sheet, paint, seed + 4, 0.62, 0.765, 0.17, ("round", "cypress", "round"), density=0.55
        ),
        meadow(sheet, paint, seed + 5, 0.86, 0.80, flowers=True),
    ]
    return behind, [foreground_grass(sheet, paint, seed)]


def _meadow(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = [
        far_range(stand, 0.2),
        hills(sheet, paint, seed + 2, 0.34, 0.68, 0.12, "leaf")[0],
        tree_line(sheet, paint, seed + 3, 0.52, 0.72, 0.30, ("round",), density=0.5, clearing=0.12),
        meadow(sheet, paint, seed + 5, 0.86, 0.77, flowers=True, many=True),
    ]
    return behind, [foreground_grass(sheet, paint, seed, "meadow")]


def _old_town(stand: Stand) -> Layers:
    """Gabled houses in rows under a tower, before the age of tall blocks."""
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    return [
        castle(sheet, paint, seed + 1, 0.20, 0.64, 0.30, aside(stand)),
        village(sheet, paint, seed + 2, 0.34, 0.665, 0.20, packed=True),
        village(sheet, paint, seed + 3, 0.60, 0.775, 0.36, packed=True),
        street_lamps(sheet, paint, seed, GROUND),
    ], []


def _city(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    if is_old(stand):
        return _old_town(stand)
    future = is_future(stand)
    behind = [
        skyline(sheet, paint, seed + 1, 0.14, 0.70, 0.46, future=future),
        skyline(sheet, paint, seed + 2, 0.36, 0.75, 0.42, future=future),
        skyline(sheet, paint, seed + 3, 0.62, 0.80, 0.30),
        street_lamps(sheet, paint, seed, GROUND),
    ]
    return behind, []


def _street(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    if is_old(stand):
        return _old_town(stand)
    behind = [
        skyline(sheet, paint, seed + 1, 0.25, 0.74, 0.50, future=is_future(stand)),
        skyline(sheet, paint, seed + 2, 0.60, 0.79, 0.62),
        street_lamps(sheet, paint, seed, GROUND),
    ]
    return behind, []


def _village(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = [
        far_range(stand),
        hills(sheet, paint, seed + 2, 0.30, 0.67, 0.14, "pine")[0],
        village(sheet, paint, seed + 3, 0.46, 0.715, 0.16),
        tree_line(sheet, paint, seed + 4, 0.56, 0.735, 0.15, trees_of(stand), density=0.5),
        village(sheet, paint, seed + 5, 0.70, 0.785, 0.27),
        meadow(sheet, paint, seed + 6, 0.86, 0.815, flowers=True),
    ]
    return behind, [foreground_grass(sheet, paint, seed)]


def _castle(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = [
        mountains(sheet, paint, seed + 1, 0.10, HORIZON + 0.03, 0.34, "rock"),
        castle(sheet, paint, seed + 2, 0.34, 0.62, 0.62, aside(stand)),
        tree_line(
            sheet, paint, seed + 3, 0.56, 0.74, 0.17, trees_of(stand), density=1.1, surface="pine"
        ),
        meadow(sheet, paint, seed + 4, 0.86, 0.80, flowers=True),
    ]
    return behind, [foreground_grass(sheet, paint, seed)]


def _desert(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    seen_afar = stand.plan.second_setting in {"city", "castle"}
    behind = [
        far_range(stand, 0.16)
        if seen_afar
        else mountains(sheet, paint, seed + 1, 0.12, HORIZON + 0.02, 0.16, "dune"),
        hills(sheet, paint, seed + 2, 0.32, 0.68, 0.17, "dune")[0],
        hills(sheet, paint, seed + 3, 0.55, 0.74, 0.14, "sand")[0],
    ]
    oasis = "palm" in stand.plan.things or stand.plan.second_setting == "lake"
    if oasis:
        behind.append(pool(sheet, paint, seed, 0.775))
    if oasis or seed % 3 == 0:
        behind.append(
            tree_line(
                sheet, paint, seed + 5, 0.66, 0.775, 0.30, ("palm",), density=0.35, surface="sand"
            )
        )
    behind.append(hills(sheet, paint, seed + 4, 0.86, 0.80, 0.05, "sand")[0])
    return behind, [hills(sheet, paint, seed + 6, 1.15, 0.985, 0.05, "dune")[0]]


def _space(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    inside = plan.second_setting == "station"
    behind = space_layers(sheet, paint, seed, with_station=inside or seed % 2 == 0)
    if plan.figures:
        behind.append(alien_ground(sheet, paint, seed, 0.55, 0.74))
        behind.append(alien_ground(sheet, paint, seed + 1, 0.86, 0.81))
    return behind, []


def _rooftop(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    future = is_future(stand)
    return [
        skyline(sheet, paint, seed + 1, 0.14, 0.72, 0.40, future=future),
        skyline(sheet, paint, seed + 2, 0.40, 0.78, 0.28, future=future),
        *platform(sheet, paint, seed, "rooftop"),
    ], []


_PLACES: Mapping[str, Callable[[Stand], Layers]] = {
    "forest": _forest,
    "mountains": _mountains,
    "hills": _hills,
    "meadow": _meadow,
    **WATERSIDES,
    **INTERIORS,
    "space": _space,
    "rooftop": _rooftop,
    "city": _city,
    "street": _street,
    "village": _village,
    "castle": _castle,
    "desert": _desert,
}
