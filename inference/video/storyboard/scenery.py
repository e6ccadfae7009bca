"""Scenery: the layers of a place, from the horizon to the lens."""

from __future__ import annotations

from inference.video.storyboard.layers import Layer, Sheet
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.sky import sky_layers
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import foreground_grass, hills, mountains

GROUND = 0.80  # of the frame's height: where figures stand


def scenery_layers(
    plan: DrawingPlan, sheet: Sheet, paint: Paint
) -> tuple[list[Layer], list[Layer]]:
    """The layers behind the figures and those before them."""
    seed = plan.place_seed
    overcast = bool(set(plan.weather) & {"rain", "storm", "fog"})
    behind = sky_layers(sheet, paint, plan.shot_seed, overcast=overcast)
    behind.append(mountains(sheet, paint, seed + 1, 0.12, 0.64, 0.34, "rock"))
    behind.append(hills(sheet, paint, seed + 2, 0.32, 0.66, 0.12, "pine")[0])
    behind.append(hills(sheet, paint, seed + 3, 0.55, 0.72, 0.10, "leaf")[0])
    behind.append(hills(sheet, paint, seed + 4, 0.86, 0.80, 0.06, "grass", tufts=0.02)[0])
    return behind, [foreground_grass(sheet, paint, seed)]
