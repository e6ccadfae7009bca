"""Scenery: the layers of a place, from the horizon to the lens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from inference.video.storyboard.buildings import castle, village
from inference.video.storyboard.cave import cave_layers
from inference.video.storyboard.cosmos import alien_ground, space_layers
from inference.video.storyboard.layers import Layer, Sheet
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.room import room_layers
from inference.video.storyboard.sky import HORIZON, luminary_x, sky_layers
from inference.video.storyboard.stand import Stand, aside, far_range, is_future, trees_of
from inference.video.storyboard.station import station_layers
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import foreground_grass, hills, meadow, mist, mountains
from inference.video.storyboard.town import skyline, street_lamps
from inference.video.storyboard.trees import framing_trees, tree_line
from inference.video.storyboard.water import lighthouse, ship, swell, water_surface

GROUND = 0.788  # of the frame's height: where figures stand

Layers: TypeAlias = tuple[list[Layer], list[Layer]]
"""Behind the figures, before them."""


def scenery_layers(plan: DrawingPlan, sheet: Sheet, paint: Paint) -> Layers:
    """The layers behind the figures and those before them."""
    stand = Stand(plan, sheet, paint)
    behind, before = _PLACES.get(plan.setting, _hills)(stand)
    if plan.setting == "space":
        return behind, before
    overcast = bool(set(plan.weather) & {"rain", "storm", "fog"})
    if not plan.indoors and plan.figures:
        behind.append(mist(sheet, paint, GROUND))
    sky = sky_layers(sheet, paint, plan.shot_seed, overcast=overcast)
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


def _sea(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    rough = "storm" in plan.weather
    light_x = luminary_x(plan.shot_seed)
    behind = [mountains(sheet, paint, seed + 1, 0.08, HORIZON + 0.005, 0.10, "cliff")]
    behind += water_surface(sheet, paint, seed, HORIZON, calm=False, light_x=light_x)
    if "lighthouse" in plan.things:
        behind += lighthouse(sheet, paint, seed, HORIZON + 0.05, aside(stand))
    if "ship" in plan.things or not plan.figures:
        where = 1.0 - aside(stand) if "lighthouse" in plan.things else aside(stand)
        size, near = (0.42, 0.10) if "ship" in plan.things else (0.16, 0.01)
        behind.append(ship(sheet, paint, seed, HORIZON + near, size, where))
    tall = 0.05 if rough else 0.022
    behind.append(swell(sheet, paint, seed + 2, 0.55, 0.755, high=tall))
    behind.append(swell(sheet, paint, seed + 3, 0.72, 0.80, high=tall * 1.3))
    if plan.figures:
        behind.append(hills(sheet, paint, seed + 4, 0.86, 0.815, 0.02, "sand")[0])
        return behind, [foreground_grass(sheet, paint, seed, "earth")]
    return behind, [swell(sheet, paint, seed + 5, 1.0, 0.93, high=tall * 1.6)]


def _lake(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    behind = [mountains(sheet, paint, seed + 1, 0.10, HORIZON, 0.36, "rock")]
    behind.append(
        tree_line(
            sheet,
            paint,
            seed + 2,
            0.24,
            HORIZON - 0.005,
            0.12,
            ("pine", "round"),
            density=1.6,
            surface="pine",
        )
    )
    behind += water_surface(
        sheet, paint, seed, HORIZON + 0.015, calm=True, light_x=luminary_x(plan.shot_seed)
    )
    if "ship" in plan.things:
        behind.append(ship(sheet, paint, seed, HORIZON + 0.08, 0.22, aside(stand)))
    behind.append(meadow(sheet, paint, seed + 4, 0.86, 0.815, flowers=True))
    before = [
        *framing_trees(sheet, paint, seed, bare=stand.bleak),
        foreground_grass(sheet, paint, seed),
    ]
    return behind, before


def _city(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
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
    behind = [
        mountains(sheet, paint, seed + 1, 0.12, HORIZON + 0.02, 0.16, "dune"),
        hills(sheet, paint, seed + 2, 0.32, 0.68, 0.17, "dune")[0],
        hills(sheet, paint, seed + 3, 0.55, 0.74, 0.14, "sand")[0],
    ]
    if seed % 2 or stand.plan.second_setting == "lake":
        behind.append(
            tree_line(
                sheet, paint, seed + 5, 0.66, 0.775, 0.30, ("palm",), density=0.35, surface="sand"
            )
        )
    behind.append(hills(sheet, paint, seed + 4, 0.86, 0.80, 0.05, "sand")[0])
    return behind, [hills(sheet, paint, seed + 6, 1.15, 0.985, 0.05, "dune")[0]]


def _room(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    return [
        far_range(stand, 0.22),
        hills(sheet, paint, seed + 2, 0.3, 0.58, 0.14, "leaf")[0],
        *room_layers(sheet, paint, seed),
    ], []


def _cave(stand: Stand) -> Layers:
    return cave_layers(stand.sheet, stand.paint, stand.seed), []


def _space(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    inside = plan.second_setting == "station"
    behind = space_layers(sheet, paint, seed, with_station=inside or seed % 2 == 0)
    if plan.figures:
        behind.append(alien_ground(sheet, paint, seed, 0.55, 0.74))
        behind.append(alien_ground(sheet, paint, seed + 1, 0.86, 0.81))
    return behind, []


def _station(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    return [
        *space_layers(sheet, paint, seed, with_station=False),
        *station_layers(sheet, paint, seed),
    ], []


_PLACES: Mapping[str, Callable[[Stand], Layers]] = {
    "forest": _forest,
    "mountains": _mountains,
    "hills": _hills,
    "meadow": _meadow,
    "sea": _sea,
    "lake": _lake,
    "city": _city,
    "street": _street,
    "village": _village,
    "castle": _castle,
    "desert": _desert,
    "room": _room,
    "cave": _cave,
    "space": _space,
    "station": _station,
}
