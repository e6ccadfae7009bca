"""The names of the style and voice presets that a scene or a job may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DEFAULT_STYLE = "storybook"

STYLE_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "storybook": "Warm layered paper-cut, as in a picture book.",
        "noir": "Black and white with hard light, grain and amber lamps.",
        "scifi": "Teal and magenta skies, clean shapes, neon light.",
        "watercolour": "Light washes with soft edges on rough paper.",
        "pastel": "Bright, high skies and tender colours, as in animated film.",
        "ink": "Brush and ink on cream paper with one red sun.",
    }
)
STYLE_PRESETS: tuple[str, ...] = tuple(STYLE_DESCRIPTIONS)

DEFAULT_VOICE = "none"


@dataclass(frozen=True)
class VoiceStyle:
    """How a narrator speaks. pitch: 0-99, 50 is the voice's own."""

    description: str
    pitch: int
    words_per_minute: int


VOICES: Mapping[str, VoiceStyle] = MappingProxyType(
    {
        "narrator": VoiceStyle("One calm voice reads the narration.", 45, 150),
        "grave": VoiceStyle("A low, slow voice.", 20, 130),
        "bright": VoiceStyle("A high, lively voice.", 75, 170),
    }
)
VOICE_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        DEFAULT_VOICE: "No spoken narration; captions only.",
        **{name: voice.description for name, voice in VOICES.items()},
    }
)
VOICE_PRESETS: tuple[str, ...] = tuple(VOICE_DESCRIPTIONS)
