"""The demo's own story: three continuations with a small bible, written for this project."""

from __future__ import annotations

from storyforge.cli.filming import Continuation, Story
from storyforge.domain.bible import BibleStyle, Character, Place, SceneBible

_MARA = Character(
    id="mara",
    name="Mara",
    aliases=("the keeper's daughter",),
    traits=("brave", "keeps her promises"),
    appearance="A girl of ten in a red coat and yellow boots, with a long dark braid.",
)
_PIM = Character(
    id="pim",
    name="Pim",
    aliases=("the fox",),
    traits=("sly", "afraid of water"),
    appearance="A small orange fox with a white chest.",
)
_ASHBY = Character(
    id="ashby",
    name="Captain Ashby",
    aliases=("the captain",),
    traits=("patient",),
    appearance="An old sailor with a white beard, a long blue coat and a tall hat.",
)
_BIBLE = SceneBible(
    title="The Night the Moon Kept the Light",
    synopsis="A lighthouse goes dark, and a girl and a fox row out to ask the moon why.",
    characters=(_MARA, _PIM, _ASHBY),
    places=(
        Place(
            id="gullrock", name="Gullrock lighthouse", facts=("It stands on a rock in the sea.",)
        ),
        Place(id="open-sea", name="the open sea", aliases=("the sea",)),
    ),
    rules=("The moon can be spoken to, once a year.",),
    style=BibleStyle(
        preset="storybook",
        tone="gentle, a little mysterious",
        visual="layered paper, a wide sea under a big sky",
        palette=("#16213e", "#33517e", "#c8553d", "#f2b66d", "#fff1d6"),
    ),
)
_SECONDS = 6.5  # three of them: about twenty seconds of film

DEMO_STORY = Story(
    title="The Night the Moon Kept the Light",
    style_preset="storybook",
    voice_preset="narrator",
    bible=_BIBLE,
    continuations=(
        Continuation(
            "At dusk the light of Gullrock lighthouse went out. Mara ran up the winding stair, and "
            "beside the cold lamp sat Pim the fox, one last ember glowing between his paws.",
            _SECONDS,
        ),
        Continuation(
            '"The moon has swallowed our light," Pim whispered. So that night Mara and Pim rowed '
            "their little boat through the fog, to where the moon touches the open sea.",
            _SECONDS,
        ),
        Continuation(
            "Mara held the ember up, and the moon breathed out all the light it had kept. At dawn, "
            "far out, Captain Ashby saw the lighthouse wake, and turned his ship for home.",
            _SECONDS,
        ),
    ),
)
