"""The script: a continuation told as timed shots."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from storyforge.domain.wire import Wire


class CameraMove(StrEnum):
    """The camera moves that a shot may ask for (standard film terms)."""

    STATIC = "static"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    TILT_UP = "tilt_up"
    TILT_DOWN = "tilt_down"
    PUSH_IN = "push_in"
    PULL_OUT = "pull_out"
    TRACKING = "tracking"
    HANDHELD = "handheld"


class Light(StrEnum):
    """Time of day of a shot, as far as the text tells."""

    DAWN = "dawn"
    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Shot(Wire):
    """One take: what is seen (`prompt`), by which camera, who and where, what is said over it.

    characters: ids of the bible's characters, or bare names of people it does not know.
    place: id of a bible place, or its bare name; empty when the text does not say.
    seconds: length of the take.
    """

    prompt: str = Field(min_length=1, max_length=2000)
    camera: CameraMove = CameraMove.STATIC
    light: Light = Light.DAY
    characters: tuple[str, ...] = ()
    place: str = ""
    narration: str = Field(default="", max_length=2000)
    seconds: float = Field(gt=0, le=120)


class WritingRecord(Wire):
    """How a language model came to a script: enough to ask it the same again.

    prompts: version of the prompt templates. repairs: how many answers before this one were
    unusable. cached_tokens: of the prompt, what the server had computed before.
    """

    model: str
    prompts: str
    seed: int
    temperature: float
    top_p: float
    most_tokens: int
    repairs: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class Script(Wire):
    """The shots of one segment, and who wrote them.

    writer: name and version of the language model or rule set.
    notice: shown to readers when the writer is not a language model; empty otherwise.
    record: of a language model's writing; None for rules.
    """

    shots: tuple[Shot, ...] = Field(min_length=1, max_length=60)
    writer: str
    notice: str = ""
    record: WritingRecord | None = None

    @property
    def seconds(self) -> float:
        """Length of all shots together."""
        return sum(shot.seconds for shot in self.shots)
