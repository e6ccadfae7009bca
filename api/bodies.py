"""Request bodies: strict about fields, and about characters that no store or screen can take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from storyforge.domain.wire import Wire
from storyforge.errors import FieldError, InvalidInput, TooLarge

# C0 and C1 controls but tab, newline and return; lone surrogates; U+FFFE and U+FFFF
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MAX_DEPTH = 20  # the deepest body of ours has 6 levels


class Body(Wire):
    """A request body: unknown fields are refused, as are control characters in any string."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=False,
        extra="forbid",
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _no_control_characters(cls, raw: Any) -> Any:
        for pointer, text in _strings(raw, "", 0):
            check_characters(text, pointer)
        return raw


def check_characters(text: str, pointer: str) -> None:
    """Raise InvalidInput naming the first character that must not be there, and where it is."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return
    detail = (
        f"Character {found.start() + 1} is the control character "
        f"U+{ord(found.group()):04X}; remove it."
    )
    shown = pointer.encode("ascii", "backslashreplace").decode()
    raise InvalidInput(f"{shown}: {detail}", [FieldError(shown, detail)])


def check_story(text: str, limit_chars: int) -> str:
    """A story text ready to film: line ends made one, outer blanks off.

    Raises InvalidInput for a text without a word, TooLarge for one over the limit.
    """
    tidy = text.replace("\r\n", "\n").replace("\r", "\n").strip().strip("\ufeff").strip()
    if not any(unicodedata.category(one)[0] in "LNS" for one in tidy):
        detail = "There is nothing to film: write at least one word."
        raise InvalidInput(f"/text: {detail}", [FieldError("/text", detail)])
    if len(tidy) > limit_chars:
        raise TooLarge(
            f"The text has {len(tidy)} characters; at most {limit_chars} fit one segment. "
            "Send it in several continuations."
        )
    return tidy


def one_line(text: str, pointer: str, limit_chars: int) -> str:
    """A title: one line within the limit; blanks run together. Raises InvalidInput."""
    tidy = " ".join(text.split())
    if len(tidy) > limit_chars:
        detail = f"It has {len(tidy)} characters; at most {limit_chars} are possible."
        raise InvalidInput(f"{pointer}: {detail}", [FieldError(pointer, detail)])
    return tidy


def _strings(raw: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        raise InvalidInput(f"The body is nested more than {_MAX_DEPTH} levels deep.")
    if isinstance(raw, str):
        yield pointer, raw
    elif isinstance(raw, dict):
        for key, value in raw.items():
            place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield place, str(key)
            yield from _strings(value, place, depth + 1)
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _strings(value, f"{pointer}/{index}", depth + 1)
