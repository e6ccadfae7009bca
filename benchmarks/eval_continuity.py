"""How much the continuity validator finds, and how often it cries wolf, on labelled scripts.

    python benchmarks/eval_continuity.py [--parts dev held_out independent] [--failures]

- recall: of the scripts with a fault of a type, the share where an issue of that type is reported;
  "located" asks that its character range also meets the labelled one.
- precision: of the scripts where a type is reported, the share that has such a fault.
- false alarms: of the sound scripts, the share with any issue at all; per type, of the scripts
  without a fault of that type, the share where it is reported.

The goal (name drift, timeline, setting, new characters; rules alone): recall >= 0.90 at <= 3 %.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.continuity_scripts import LabelledScript, Wrong, read_part
from benchmarks.measuring import print_line
from pipelines.continuity.rules import RuleValidator
from storyforge.domain.continuity import ContinuityIssue, ContinuityValidator, IssueType

PARTS = ("dev", "held_out", "independent")
MEASURED = (
    IssueType.NAME_DRIFT,
    IssueType.TIMELINE_ERROR,
    IssueType.SETTING_MISMATCH,
    IssueType.NEW_CHARACTER,
)
_LOCATION = re.compile(r"shots\[(\d+)\]\.narration:(\d+)-(\d+)")

Reported: TypeAlias = list[tuple[LabelledScript, tuple[ContinuityIssue, ...]]]


@dataclass(frozen=True)
class Score:
    """Counts of scripts for one issue type.

    faulty: with such a fault; found, located: of these. sound: without; alarms: of these.
    """

    faulty: int
    found: int
    located: int
    sound: int
    alarms: int

    @property
    def recall(self) -> float:
        """Share of faults that are reported; 1 where there is none."""
        return self.found / self.faulty if self.faulty else 1.0

    @property
    def precision(self) -> float:
        """Share of reports that are right; 1 where there is none."""
        told = self.found + self.alarms
        return self.found / told if told else 1.0

    @property
    def alarm_rate(self) -> float:
        """Share of the scripts without such a fault where it is reported."""
        return self.alarms / self.sound if self.sound else 0.0


def judge(scripts: Iterable[LabelledScript], validator: ContinuityValidator) -> Reported:
    """Every script with what the validator reports on it."""
    return [(one, validator.validate(one.script, one.bible, one.recent).issues) for one in scripts]


def score(reported: Reported, kind: IssueType) -> Score:
    """How one issue type fared."""
    faulty = [(one, issues) for one, issues in reported if kind in one.kinds]
    sound = [issues for one, issues in reported if kind not in one.kinds]
    return Score(
        faulty=len(faulty),
        found=sum(_says(kind, issues) for _, issues in faulty),
        located=sum(
            all(_hit(w, issues) for w in one.wrong if w.kind is kind) for one, issues in faulty
        ),
        sound=len(sound),
        alarms=sum(_says(kind, issues) for issues in sound),
    )


def false_alarms(reported: Reported) -> tuple[int, int]:
    """(sound scripts with any issue, sound scripts)."""
    sound = [issues for one, issues in reported if not one.wrong]
    return sum(bool(issues) for issues in sound), len(sound)


def overall(reported: Reported) -> float:
    """Recall over the four measured types together."""
    scores = [score(reported, kind) for kind in MEASURED]
    return sum(one.found for one in scores) / max(1, sum(one.faulty for one in scores))


def _says(kind: IssueType, issues: Iterable[ContinuityIssue]) -> bool:
    return any(one.type is kind for one in issues)


def _hit(wrong: Wrong, issues: Iterable[ContinuityIssue]) -> bool:
    for one in issues:
        match = _LOCATION.fullmatch(one.location)
        if match is None or one.type is not wrong.kind:
            continue
        shot, start, end = (int(group) for group in match.groups())
        if shot == wrong.shot and start < wrong.end and wrong.start < end:
            return True
    return False


def failures(reported: Reported) -> list[str]:
    """One line for each script that was missed or wrongly blamed."""
    lines: list[str] = []
    for one, issues in reported:
        said = {issue.type for issue in issues}
        told = " / ".join(shot.narration for shot in one.script.shots)
        missed = ", ".join(sorted(one.kinds - said))
        if missed:
            lines.append(f"MISSED {missed} [{one.kind}] {told}")
        lines.extend(
            f"ALARM {issue.type} [{one.kind}] {told}\n      {issue.location} {issue.description}"
            for issue in issues
            if issue.type not in one.kinds
        )
    return lines


def _card(part: str, reported: Reported, milliseconds: float) -> None:
    print(f"\n{part}: {len(reported)} scripts, {milliseconds:.1f} ms each (median)")
    print(f"{'type':28}{'faults':>8}{'recall':>8}{'located':>9}{'precision':>11}{'alarms':>9}")
    for kind in IssueType:
        one = score(reported, kind)
        located = one.located / one.faulty if one.faulty else 1.0
        print(
            f"{kind:28}{one.faulty:>8}{one.recall:>8.2f}{located:>9.2f}"
            f"{one.precision:>11.2f}{one.alarm_rate:>9.1%}"
        )
    alarms, sound = false_alarms(reported)
    print(
        f"sound scripts with any issue: {alarms} of {sound} ({alarms / max(1, sound):.1%}); "
        f"recall of the four measured types: {overall(reported):.2f}"
    )


def _measure(
    scripts: Sequence[LabelledScript], validator: ContinuityValidator
) -> tuple[Reported, float]:
    reported: Reported = []
    took: list[float] = []
    judge(scripts[:1], validator)  # word lists are read once
    for one in scripts:
        start = time.perf_counter()
        reported.extend(judge([one], validator))
        took.append((time.perf_counter() - start) * 1000)
    return reported, statistics.median(took)


def _fields(reported: Reported, milliseconds: float) -> dict[str, object]:
    alarms, sound = false_alarms(reported)
    return {
        "scripts": len(reported),
        "ms": round(milliseconds, 2),
        "recall": round(overall(reported), 3),
        "false_alarms": [alarms, sound],
        "types": {
            kind.value: [round(one.recall, 3), round(one.precision, 3), round(one.alarm_rate, 4)]
            for kind in IssueType
            for one in [score(reported, kind)]
        },
    }


def main() -> None:
    """Print the tables and the line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--failures", action="store_true", help="list what failed in dev")
    wanted = parser.parse_args()
    validator: Callable[[], ContinuityValidator] = RuleValidator
    fields: dict[str, object] = {}
    for part in wanted.parts:
        reported, milliseconds = _measure(read_part(part), validator())
        _card(part, reported, milliseconds)
        if wanted.failures and part == "dev":
            print("\n".join(failures(reported)))
        fields[part] = _fields(reported, milliseconds)
    print_line("eval_continuity", {"validator": "rules", "parts": fields})


if __name__ == "__main__":
    main()
