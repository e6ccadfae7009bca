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
    """The owner's shots as a script in the place of the proposed one, its people by their ids.

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
    cast = {name.casefold(): name for shot in proposed.shots for name in shot.characters}
    cast |= _ids(bible)
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
    shots = tuple(
        shot.model_copy(
            update={"characters": tuple(cast[name.casefold()] for name in shot.characters)}
        )
        for shot in script.shots
    )
    return proposed.model_copy(update={"shots": shots, "writer": writer})


def _ids(bible: SceneBible) -> dict[str, str]:
    return {
        name.casefold(): one.id
        for one in reversed(bible.characters)
        for name in (*one.aliases, one.name, one.id)
    }
