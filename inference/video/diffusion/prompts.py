"""Puts a shot into the words that a video model reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inference.video.model import ShotRequest
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.script import CameraMove, Light

# What each family's authors advise against; guidance always pushes away from it.
WAN_NEGATIVE_PROMPT = (
    "overexposed, blurred details, subtitles, captions, watermark, text, logo, still picture, "
    "grey overall, worst quality, low quality, jpeg artefacts, ugly, deformed, disfigured, "
    "malformed limbs, fused fingers, extra fingers, poorly drawn hands, poorly drawn face, "
    "cluttered background, three legs, walking backwards"
)
LTX_NEGATIVE_PROMPT = "worst quality, inconsistent motion, blurry, jittery, distorted"
_CAMERA: Mapping[CameraMove, str] = MappingProxyType(
    {
        CameraMove.STATIC: "The camera stands still.",
        CameraMove.PAN_LEFT: "The camera pans slowly to the left.",
        CameraMove.PAN_RIGHT: "The camera pans slowly to the right.",
        CameraMove.TILT_UP: "The camera tilts slowly upwards.",
        CameraMove.TILT_DOWN: "The camera tilts slowly downwards.",
        CameraMove.PUSH_IN: "The camera pushes in slowly.",
        CameraMove.PULL_OUT: "The camera pulls out slowly.",
        CameraMove.TRACKING: "A tracking shot follows the subject.",
        CameraMove.HANDHELD: "A handheld camera, slightly unsteady.",
    }
)
_LIGHT: Mapping[Light, str] = MappingProxyType(
    {
        Light.DAWN: "Soft light of dawn.",
        Light.DAY: "Daylight.",
        Light.DUSK: "Warm light of dusk.",
        Light.NIGHT: "Night, dim light.",
    }
)
_CHARACTERS_MAX = 3  # more would push the action out of the padded prompt


def prompt_of(request: ShotRequest) -> str:
    """The shot's own words first, then who and where, camera, light and style."""
    shot, bible = request.shot, request.bible
    parts = [
        _sentence(shot.prompt),
        *_people(shot.characters, bible),
        _setting(shot.place, bible),
        _CAMERA[shot.camera],
        _LIGHT[shot.light],
        _style(bible),
    ]
    return " ".join(part for part in parts if part)


def _people(ids: tuple[str, ...], bible: SceneBible) -> list[str]:
    known = {person.id: person for person in bible.characters}
    shown = [known[one] for one in ids if one in known and known[one].appearance]
    return [_looks(person) for person in shown[:_CHARACTERS_MAX]]


def _looks(person: Character) -> str:
    return _sentence(f"{person.name} is {person.appearance}")


def _setting(place: str, bible: SceneBible) -> str:
    known = {one.id: one for one in bible.places}.get(place)
    if known is None:
        return _sentence(place)
    return _sentence(", ".join([known.name, *known.facts[:2]]))


def _style(bible: SceneBible) -> str:
    style = bible.style
    words = [f"{style.preset} style", style.visual, style.tone]
    return _sentence(", ".join(word for word in words if word))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?" else f"{text}."
