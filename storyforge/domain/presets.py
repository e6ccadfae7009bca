"""The names of the style and voice presets that a scene or a job may ask for."""

from __future__ import annotations

from collections.abc import Mapping
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

VOICE_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "none": "No spoken narration; captions only.",
        "narrator": "One calm voice reads the narration.",
    }
)
VOICE_PRESETS: tuple[str, ...] = tuple(VOICE_DESCRIPTIONS)
