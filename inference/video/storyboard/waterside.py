"""Places at and on the water: sea, lake, deck, rowing boat, pier, bridge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inference.video.storyboard.boat import rowing_boat
from inference.video.storyboard.buildings import castle
from inference.video.storyboard.layers import Layer
from inference.video.storyboard.platform import platform
from inference.video.storyboard.sky import HORIZON, luminary_x
from inference.video.storyboard.stand import Layers, Stand, aside, far_range, is_future
from inference.video.storyboard.terrain import foreground_grass, hills, meadow, mountains
from inference.video.storyboard.town import skyline
from inference.video.storyboard.trees import framing_trees, tree_line
from inference.video.storyboard.water import lighthouse, ship, swell, water_surface


def _sea(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    rough = "storm" in plan.weather
    light_x = luminary_x(plan.shot_seed)
    behind = [mountains(sheet, paint, seed + 1, 0.08, HORIZON + 0.005, 0.10, "cliff")]
    behind += water_surface(sheet, paint, seed, HORIZON, calm=False, light_x=light_x)
    if "lighthouse" in plan.things:
        behind += lighthouse(
            sheet, paint, seed, HORIZON + 0.05, aside(stand), lit=not plan.dark_lamp
        )
    if "ship" in plan.things or not plan.figures:
        where = 1.0 - aside(stand) if "lighthouse" in plan.things else aside(stand)
        size, near = (0.42, 0.10) if "ship" in plan.things else (0.16, 0.01)
        behind.append(ship(sheet, paint, seed, HORIZON + near, size, where))
    tall = 0.05 if rough else 0.022
    behind.append(swell(sheet, paint, seed + 2, 0.55, 0.755, high=tall))
    behind.append(swell(sheet, paint, seed + 3, 0.72, 0.80, high=tall * 1.3))
    if plan.second_setting == "castle":
        behind.insert(1, castle(sheet, paint, seed + 7, 0.25, HORIZON + 0.01, 0.34, aside(stand)))
    if "palm" in plan.things:
        behind.append(
            tree_line(
                sheet, paint, seed + 6, 0.7, 0.80, 0.42, ("palm",), density=0.3, surface="sand"
            )
        )
    if plan.figures:
        behind.append(hills(sheet, paint, seed + 4, 0.86, 0.815, 0.02, "sand")[0])
        return behind, []
    return behind, [swell(sheet, paint, seed + 5, 1.0, 0.93, high=tall * 1.6)]


def _lake(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    behind = [far_range(stand, 0.36)]
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


def _open_water(stand: Stand) -> list[Layer]:
    """The sea from off the shore."""
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    light_x = luminary_x(plan.shot_seed)
    behind = [mountains(sheet, paint, seed + 1, 0.08, HORIZON + 0.005, 0.07, "cliff")]
    behind += water_surface(sheet, paint, seed, HORIZON, calm=False, light_x=light_x)
    if "lighthouse" in plan.things:
        behind += lighthouse(
            sheet, paint, seed, HORIZON + 0.02, aside(stand), lit=not plan.dark_lamp, size=0.62
        )
    return behind


def _high(stand: Stand) -> float:
    """How high waves are, of the unit."""
    return 0.055 if "storm" in stand.plan.weather else 0.024


def _deck(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = _open_water(stand)
    behind.append(swell(sheet, paint, seed + 2, 0.55, 0.72, high=_high(stand) * 1.4))
    return [*behind, *platform(sheet, paint, seed, "deck")], []


def _boat(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    behind = _open_water(stand)
    behind.append(swell(sheet, paint, seed + 2, 0.55, 0.76, high=_high(stand)))
    far, near = rowing_boat(sheet, paint, seed)
    wave = swell(sheet, paint, seed + 5, 0.95, 0.905, high=_high(stand) * 1.2)
    return [*behind, *far], [*near, wave]


def _pier(stand: Stand) -> Layers:
    sheet, paint, seed, plan = stand.sheet, stand.paint, stand.seed, stand.plan
    behind = _open_water(stand)
    behind.insert(
        1, skyline(sheet, paint, seed + 3, 0.16, HORIZON + 0.012, 0.16, future=is_future(stand))
    )
    if "ship" in plan.things or not plan.figures or seed % 2:
        behind.append(ship(sheet, paint, seed, HORIZON + 0.09, 0.46, aside(stand)))
    behind.append(swell(sheet, paint, seed + 2, 0.55, 0.76, high=_high(stand) * 0.7))
    return [*behind, *platform(sheet, paint, seed, "pier")], []


def _bridge(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    built = stand.plan.second_setting in {"city", "street"} or stand.plan.preset == "noir"
    behind: list[Layer] = []
    if built:
        behind.append(skyline(sheet, paint, seed + 1, 0.14, HORIZON + 0.01, 0.34))
    else:
        behind.append(mountains(sheet, paint, seed + 1, 0.10, HORIZON, 0.34, "rock"))
        behind.append(
            tree_line(
                sheet,
                paint,
                seed + 2,
                0.24,
                HORIZON,
                0.14,
                ("pine", "round"),
                density=1.5,
                surface="pine",
            )
        )
    behind += water_surface(
        sheet, paint, seed, HORIZON + 0.012, calm=True, light_x=luminary_x(stand.plan.shot_seed)
    )
    behind += platform(sheet, paint, seed, "bridge")
    return behind, []


WATERSIDES: Mapping[str, Callable[[Stand], Layers]] = {
    "sea": _sea,
    "lake": _lake,
    "deck": _deck,
    "boat": _boat,
    "pier": _pier,
    "bridge": _bridge,
}
