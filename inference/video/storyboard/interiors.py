"""Indoor places: rooms of several kinds, caves, space stations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inference.video.storyboard.cave import cave_layers
from inference.video.storyboard.cosmos import space_layers
from inference.video.storyboard.hall import hall_layers
from inference.video.storyboard.kitchen import kitchen_layers
from inference.video.storyboard.lamp_room import lamp_room_layers
from inference.video.storyboard.layers import Layer
from inference.video.storyboard.room import room_layers
from inference.video.storyboard.sky import HORIZON, luminary_x
from inference.video.storyboard.stand import Layers, Stand, far_range
from inference.video.storyboard.station import station_layers
from inference.video.storyboard.terrain import hills
from inference.video.storyboard.water import water_surface


def _view(stand: Stand) -> list[Layer]:
    """What is seen through a window."""
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    return [far_range(stand, 0.22), hills(sheet, paint, seed + 2, 0.3, 0.58, 0.14, "leaf")[0]]


def _room(stand: Stand) -> Layers:
    return [*_view(stand), *room_layers(stand.sheet, stand.paint, stand.seed)], []


def _cave(stand: Stand) -> Layers:
    return cave_layers(stand.sheet, stand.paint, stand.seed), []


def _station(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    return [
        *space_layers(sheet, paint, seed, with_station=False),
        *station_layers(sheet, paint, seed),
    ], []


def _hall(stand: Stand) -> Layers:
    return [*_view(stand), *hall_layers(stand.sheet, stand.paint, stand.seed)], []


def _kitchen(stand: Stand) -> Layers:
    return [*_view(stand), *kitchen_layers(stand.sheet, stand.paint, stand.seed)], []


def _lamp_room(stand: Stand) -> Layers:
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    water = water_surface(
        sheet, paint, seed, HORIZON - 0.06, calm=False, light_x=luminary_x(stand.plan.shot_seed)
    )
    lit = paint.dark and not stand.plan.dark_lamp
    return [*water, *lamp_room_layers(sheet, paint, seed, lit=lit)], []


INTERIORS: Mapping[str, Callable[[Stand], Layers]] = {
    "room": _room,
    "cave": _cave,
    "station": _station,
    "hall": _hall,
    "kitchen": _kitchen,
    "lamp_room": _lamp_room,
}
