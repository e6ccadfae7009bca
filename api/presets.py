"""Checks of preset names that come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from storyforge.domain.presets import STYLE_PRESETS, VOICE_PRESETS
from storyforge.errors import FieldError, InvalidInput


def check_style(name: str, pointer: str) -> None:
    """Raise InvalidInput naming the styles there are."""
    _check(name, STYLE_PRESETS, "style", pointer)


def check_voice(name: str, pointer: str) -> None:
    """Raise InvalidInput naming the voices there are."""
    _check(name, VOICE_PRESETS, "voice", pointer)


def _check(name: str, known: Sequence[str], kind: str, pointer: str) -> None:
    if name not in known:
        detail = f"There is no {kind} preset '{name[:80]}'; choose one of {', '.join(known)}."
        raise InvalidInput(f"{pointer}: {detail}", [FieldError(pointer, detail)])
