"""Reads what the style and voice presets mean in words for a prompt."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from storyforge.domain.presets import DEFAULT_STYLE, DEFAULT_VOICE

_FILE = Path(__file__).with_name("presets.toml")


def style_words(preset: str, own_words: str = "") -> str:
    """The look in words; `own_words` of the scene's bible come after the preset's."""
    styles = _presets()["style"]
    told = styles.get(preset) or preset or styles[DEFAULT_STYLE]
    return "; ".join(filter(None, (told, own_words)))


def voice_words(preset: str) -> str:
    """How the narration is written; an unknown voice is told by its name."""
    voices = _presets()["voice"]
    return voices.get(preset or DEFAULT_VOICE) or f"{voices['narrator']}; the voice is {preset}"


@cache
def _presets() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
