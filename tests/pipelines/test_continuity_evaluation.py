"""The rules on the evaluation's hand-written scripts: what they must keep finding, and its tables."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest

from benchmarks.continuity_scripts import LabelledScript, read_part
from benchmarks.eval_continuity import MEASURED, Reported, false_alarms, judge, score
from pipelines.continuity.rules import RuleValidator
from storyforge.domain.continuity import Evidence, IssueType

_PARTS = ("dev", "held_out", "independent")
_LOCATION = re.compile(r"shots\[(\d+)\]\.(?:characters|narration:(\d+)-(\d+))")


@lru_cache(maxsize=1)
def _dev() -> Reported:
    return judge(read_part("dev"), RuleValidator())


@pytest.mark.parametrize("kind", MEASURED)
def test_the_rules_find_what_they_were_built_on(kind: IssueType) -> None:
    """Floors of the part they were tuned on; held-out figures are in docs/log.md."""
    assert score(_dev(), kind).recall >= 0.95
    assert score(_dev(), kind).alarm_rate <= 0.02


def test_sound_scripts_are_left_alone() -> None:
    alarms, sound = false_alarms(_dev())
    assert sound >= 80
    assert alarms / sound <= 0.03


def test_the_set_is_large_and_every_type_is_in_every_part() -> None:
    parts = {part: read_part(part) for part in _PARTS}
    assert sum(len(scripts) for scripts in parts.values()) >= 300
    for scripts in parts.values():
        assert {kind for one in scripts for kind in one.kinds} == set(IssueType)
        assert sum(not one.wrong for one in scripts) >= len(scripts) // 3


def test_every_issue_names_its_place_and_nearly_all_of_them_their_evidence() -> None:
    for one, issues in _dev():
        for issue in issues:
            match = _LOCATION.fullmatch(issue.location)
            assert match is not None, issue
            if match.group(2):
                narration = one.script.shots[int(match.group(1))].narration
                assert narration[int(match.group(2)) : int(match.group(3))].strip()
            quoted = (
                issue.type is IssueType.NEW_CHARACTER or "goes back in time" in issue.description
            )
            assert issue.evidence or quoted, issue


def test_evidence_is_what_the_bible_or_the_script_says() -> None:
    for one, issues in _dev():
        for issue in issues:
            assert all(_is_there(found, one) for found in issue.evidence), issue


def _is_there(evidence: Evidence, one: LabelledScript) -> bool:
    if evidence.source.startswith("shots/"):
        return any(evidence.text in shot.narration for shot in one.script.shots)
    facts = one.bible.to_json()
    words = str(facts)
    told = [f"{event['when']}: {event['description']}" for event in facts["timeline"]]
    return evidence.text in words or evidence.text in told or repr(evidence.text)[1:-1] in words
