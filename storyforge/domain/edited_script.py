"""What an owner may change about a script before it is filmed."""

from __future__ import annotations

from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Script
from storyforge.errors import InvalidInput

_SECONDS_OFF = 0.5
_SHARE_OFF = 0.05  # of a long film; a short one gets half a second
_EDITED = ", edited"


def check_edited_script(
    script: Script, proposed: Script, bible: SceneBible, *, target_seconds: float
) -> Script:
    """The owner's shots as a script in the place of the proposed one.

    Raises InvalidInput for a length that is not the one asked for, and for people whom neither
    the bible nor the proposed script knows.
    """
    allowed_s = max(_SECONDS_OFF, _SHARE_OFF * target_seconds)
    if abs(script.seconds - target_seconds) > allowed_s:
        raise InvalidInput.at(
            "/script/shots",
            f"The shots last {script.seconds:g} s together; the film is to last "
            f"{target_seconds:g} s (give or take {allowed_s:g} s). Change their seconds.",
        )
    cast = _cast(bible) | {name.casefold() for shot in proposed.shots for name in shot.characters}
    for number, shot in enumerate(script.shots):
        for place, name in enumerate(shot.characters):
            if name.casefold() not in cast:
                known = ", ".join(one.id for one in bible.characters[:20]) or "nobody"
                raise InvalidInput.at(
                    f"/script/shots/{number}/characters/{place}",
                    f"'{name[:80]}' is not in the bible, which knows {known}. Add them to the "
                    "bible first, or leave them out.",
                )
    writer = proposed.writer.removesuffix(_EDITED) + _EDITED
    return proposed.model_copy(update={"shots": script.shots, "writer": writer})


def _cast(bible: SceneBible) -> set[str]:
    return {
        name.casefold() for one in bible.characters for name in (one.id, one.name, *one.aliases)
    }
