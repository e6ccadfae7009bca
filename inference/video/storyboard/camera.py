"""The camera: where it looks at every moment of a move."""

from __future__ import annotations

import math
from dataclasses import dataclass

from storyforge.domain.script import CameraMove

PAN_SHARE = 0.17  # of the frame's width that the nearest layer travels in a pan
TILT_SHARE = 0.15  # of the frame's height, likewise
TRACK_SHARE = 0.34  # tracking follows somebody, so the ground runs further
ZOOM_SHARE = 0.20  # nearest layer's growth in a push-in
HAND_SHARE = 0.012  # handheld sway, of the frame's height


@dataclass(frozen=True)
class Pose:
    """How the scene lies under the camera.

    right, down: displacement of the nearest layer in shares of the frame's width and height.
    zoom: magnification of the nearest layer. roll: radians.
    """

    right: float = 0.0
    down: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0


@dataclass(frozen=True)
class Reach:
    """The most that a move can displace the nearest layer (shares), so how wide to draw."""

    across: float
    up_down: float


def eased(progress: float) -> float:
    """Slow start, slow stop, and never quite still: 0..1 to 0..1."""
    smooth = progress * progress * (3 - 2 * progress)
    return 0.35 * progress + 0.65 * smooth


def pose_at(  # noqa: PLR0911 - one return a move reads best
    move: CameraMove, progress: float, seconds: float, phase: float = 0.0
) -> Pose:
    """The pose at `progress` (0..1) of the take, `seconds` after its start."""
    part = eased(min(1.0, max(0.0, progress)))
    swing = part - 0.5
    match move:
        case CameraMove.PAN_LEFT:
            return Pose(right=PAN_SHARE * swing)
        case CameraMove.PAN_RIGHT:
            return Pose(right=-PAN_SHARE * swing)
        case CameraMove.TILT_UP:
            return Pose(down=TILT_SHARE * (part - 1.0) + 0.02)
        case CameraMove.TILT_DOWN:
            return Pose(down=-TILT_SHARE * part + 0.02)
        case CameraMove.PUSH_IN:
            return Pose(zoom=1.0 + ZOOM_SHARE * part)
        case CameraMove.PULL_OUT:
            return Pose(zoom=1.0 + ZOOM_SHARE * (1.0 - part))
        case CameraMove.TRACKING:
            return Pose(right=-TRACK_SHARE * swing)
        case CameraMove.HANDHELD:
            return _handheld(seconds, phase)
        case CameraMove.STATIC:
            return Pose()


def _handheld(seconds: float, phase: float) -> Pose:
    """An operator's breath and step: a few slow waves that never repeat together."""
    across = math.sin(1.7 * seconds + phase) + 0.6 * math.sin(2.9 * seconds + 2 * phase)
    upright = math.sin(2.3 * seconds + 3 * phase) + 0.5 * math.sin(4.1 * seconds + phase)
    return Pose(
        right=HAND_SHARE * 0.8 * across,
        down=HAND_SHARE * upright,
        zoom=1.05 + 0.006 * math.sin(0.9 * seconds + phase),
        roll=0.006 * math.sin(1.3 * seconds + phase),
    )


def reach_of(move: CameraMove) -> Reach:
    """How far the nearest layer can be displaced by a move, with a little to spare."""
    match move:
        case CameraMove.PAN_LEFT | CameraMove.PAN_RIGHT:
            return Reach(PAN_SHARE / 2 + 0.01, 0.01)
        case CameraMove.TRACKING:
            return Reach(TRACK_SHARE / 2 + 0.01, 0.01)
        case CameraMove.TILT_UP | CameraMove.TILT_DOWN:
            return Reach(0.01, TILT_SHARE + 0.01)
        case CameraMove.HANDHELD:
            return Reach(0.03, 0.04)
        case CameraMove.STATIC | CameraMove.PUSH_IN | CameraMove.PULL_OUT:
            return Reach(0.01, 0.01)
