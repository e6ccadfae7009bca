"""How near the camera is: wide, medium or close, read from the screenwriter's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from inference.video.storyboard.noise import random_of
from storyforge.domain.script import CameraMove, Shot


class Framing(StrEnum):
    """The field sizes that the drawing knows (standard film terms)."""

    WIDE = "wide"
    MEDIUM = "medium"
    CLOSE = "close"


@dataclass(frozen=True)
class Lens:
    """How the scenery is enlarged: `zoom` at the camera's depth, about a point of the frame.

    x, y: the point that stays where it is, in shares of the frame's width and height.
    """

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.52

    def zoom_at(self, depth: float) -> float:
        """The enlargement at a depth of 0 (horizon) to 1: what is far grows less."""
        return 1.0 + (self.zoom - 1.0) * (0.5 + 0.5 * depth)


_ZOOMS = {Framing.WIDE: 1.0, Framing.MEDIUM: 1.34, Framing.CLOSE: 1.75}
_NO_ONE = 1.22  # a second look at a place without people
_OPENING_CHARS = 60  # the field size is said first
_CROWD = 4  # do not fit into a nearer field

# Beginnings of prompts in the languages of the rule-based writer.
_WORDS: Mapping[Framing, str] = {
    Framing.CLOSE: "close-up|close up|closeup|extreme close|portrait|detail|nahaufnahme|großaufnahme"
    "|gros plan|plan de d\u00e9tail|primer plano|plano detalle|primo piano|dettaglio|primeiro plano"
    "|\u043a\u0440\u0443\u043f\u043d\u044b\u0439 \u043f\u043b\u0430\u043d|\u0434\u0435\u0442\u0430\u043b\u044c|zbli\u017cenie|detal|n\u00e4rbild|\u8fd1\u666f|\u7279\u5199|\u30af\u30ed\u30fc\u30ba\u30a2\u30c3\u30d7|\u5927\u5199\u3057|\uadfc\uc811|\uc138\ubd80"
    "|\u0644\u0642\u0637\u0629 \u0642\u0631\u064a\u0628\u0629|\u0644\u0642\u0637\u0629 \u062a\u0641\u0635\u064a\u0644\u064a\u0629|\u0915\u094d\u0932\u094b\u091c\u093c|\u092c\u093e\u0930\u0940\u0915\u0940",
    Framing.MEDIUM: "medium|two-shot|two shot|over the shoulder|halbnah|plan moyen|plano medio"
    "|piano medio|plano m\u00e9dio|\u0441\u0440\u0435\u0434\u043d\u0438\u0439 \u043f\u043b\u0430\u043d|plan \u015bredni|halvbild|\u4e2d\u666f|\u30df\u30c7\u30a3\u30a2\u30e0|\uc911\uacbd"
    "|\u0644\u0642\u0637\u0629 \u0645\u062a\u0648\u0633\u0637\u0629|\u092e\u0940\u0921\u093f\u092f\u092e",
    Framing.WIDE: "wide|long shot|establishing|aerial|panorama|totale|plan large|plan d'ensemble"
    "|plano general|plano geral|campo lungo|totaalshot|\u043e\u0431\u0449\u0438\u0439 \u043f\u043b\u0430\u043d|plan og\u00f3lny|helbild"
    "|\u8fdc\u666f|\u9060\u666f|\u30ed\u30f3\u30b0\u30b7\u30e7\u30c3\u30c8|\uc6d0\uacbd|\u0644\u0642\u0637\u0629 \u0648\u0627\u0633\u0639\u0629|\u0935\u093e\u0907\u0921",
}
_PATTERNS = {framing: re.compile(rf"(?<!\w)(?:{words})") for framing, words in _WORDS.items()}


def framing_in(prompt: str) -> Framing | None:
    """The field size that a prompt opens with, if it names one."""
    opening = prompt[:_OPENING_CHARS].casefold()
    hits = [
        (match.start(), framing)
        for framing, pattern in _PATTERNS.items()
        if (match := pattern.search(opening))
    ]
    return min(hits)[1] if hits else None


def framing_of(shot: Shot, index: int, figures: int) -> Framing:
    """The field size of a shot: as its prompt says, else by the move and its place in the film."""
    if not figures or figures >= _CROWD:
        return Framing.WIDE
    told = framing_in(shot.prompt)
    if told is None:
        far = shot.camera in {CameraMove.TILT_UP, CameraMove.TILT_DOWN, CameraMove.TRACKING}
        told = Framing.WIDE if far or index % 2 == 0 else Framing.MEDIUM
    if told is Framing.CLOSE and figures > 1:
        return Framing.MEDIUM
    return told


def lens_of(framing: Framing, index: int, seed: int, figures: int) -> Lens:
    """The lens for a field size; later views of a place look elsewhere than the first."""
    rng = random_of("lens", seed, index)
    zoom = _ZOOMS[framing]
    if framing is Framing.WIDE and index % 2:
        zoom = 1.08 if figures else _NO_ONE
    if zoom == 1.0:
        return Lens()
    side = -1.0 if index % 2 else 1.0
    return Lens(zoom, round(0.5 + side * float(rng.uniform(0.12, 0.34)), 3))
