"""The continuity rules on a labelled table of continuations in several languages."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inference.language.model import ScriptBrief
from inference.language.rule_writer import RuleWriter
from pipelines.continuity.rules import RuleValidator
from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Script

_TABLE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "continuity_cases.toml").read_text(encoding="utf-8")
)
_BIBLES = {name: SceneBible.model_validate(facts) for name, facts in _TABLE["bibles"].items()}
_CASES: list[dict[str, Any]] = _TABLE["cases"]
_MEASURED = ("name_drift", "timeline_error", "setting_mismatch", "new_character")


def _script(case: dict[str, Any]) -> Script:
    brief = ScriptBrief(text=case["text"], bible=_BIBLES[case["bible"]], target_seconds=8.0)
    return RuleWriter().expand_script(brief)


def _types(case: dict[str, Any]) -> set[str]:
    result = RuleValidator().validate(_script(case), _BIBLES[case["bible"]])
    return {one.type.value for one in result.issues}


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["text"][:48])
def test_the_rules_report_what_is_wrong_and_nothing_else(case: dict[str, Any]) -> None:
    assert _types(case) == set(case["expect"])


def test_the_table_is_large_and_balanced_enough_to_mean_something() -> None:
    wrong = Counter(kind for case in _CASES for kind in case["expect"])
    assert len(_CASES) >= 60
    assert sum(not case["expect"] for case in _CASES) >= 25
    assert all(wrong[kind] >= 10 for kind in _MEASURED)


@pytest.mark.parametrize(
    "case",
    [case for case in _CASES if case["expect"] == ["name_drift"]],
    ids=lambda case: case["text"][:48],
)
def test_name_drift_is_always_cured_and_never_comes_back(case: dict[str, Any]) -> None:
    validator, bible = RuleValidator(), _BIBLES[case["bible"]]
    script = _script(case)
    before = validator.validate(script, bible)
    fixed, after = validator.auto_correct(script, bible, before)
    assert after.valid
    assert after.corrected
    assert not after.issues
    ids = {one.id for one in bible.characters}
    assert any(set(shot.characters) & ids for shot in fixed.shots)
