"""Every voice speaks every line, the same way each time, faster when it is told to."""

from __future__ import annotations

import numpy as np
import pytest

from inference.narration.espeak import EspeakVoice
from inference.narration.voice import FakeVoice, Line, Voice
from storyforge.errors import NarrationFailed

LINES = (
    Line("At dusk the light of the tower went out.", "en"),
    Line("Am Abend erlosch das Licht.", "de"),
)


@pytest.fixture(params=[FakeVoice, EspeakVoice], ids=["fake", "espeak"])
def voice(request: pytest.FixtureRequest) -> Voice:
    made: Voice = request.param()
    return made


def test_every_line_is_heard_in_order_and_alike_each_time(voice: Voice) -> None:
    said, again = voice.speak(LINES), voice.speak(LINES)
    assert len(said) == len(LINES)
    for one, other in zip(said, again, strict=True):
        assert 0.5 < one.seconds < 10
        assert one.samples.dtype == np.float32
        assert 0.05 < float(np.abs(one.samples).max()) <= 1.0
        assert np.array_equal(one.samples, other.samples)


def test_a_hurried_line_is_shorter(voice: Voice) -> None:
    calm, hurried = voice.speak([LINES[0], Line(LINES[0].text, "en", speed=1.5)])
    assert hurried.seconds < 0.85 * calm.seconds


def test_nothing_to_say_is_nothing_said(voice: Voice) -> None:
    assert list(voice.speak([])) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [("ru", "Ночью лиса ждала у реки."), ("zh", "夜里狐狸在河边等待。"), ("xx", "Nobody knows.")],
)
def test_espeak_speaks_other_scripts_and_unknown_languages(language: str, text: str) -> None:
    (said,) = EspeakVoice().speak([Line(text, language)])
    assert said.seconds > 0.5


@pytest.mark.parametrize("text", ["Go -- & <break/> \0 \x07 'now' \"then\"", "--help", "!" * 50])
def test_odd_text_harms_nobody(text: str) -> None:
    said = EspeakVoice().speak([Line(text), LINES[0]])
    assert said[1].seconds > 0.5


@pytest.mark.parametrize("child", ["this", "no.such.module"])
def test_a_voice_that_says_nothing_is_an_error_that_tells_what_next(child: str) -> None:
    with pytest.raises(NarrationFailed, match="voicePreset none"):
        EspeakVoice(child=child).speak(LINES)
