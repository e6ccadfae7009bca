"""What becomes of a script that contradicts the bible: repaired, given back once, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.language.model import ScriptBrief
from pipelines.continuity.rules import RuleValidator
from storyforge.database import reports
from storyforge.database import segments as segment_rows
from storyforge.database.engine import Database
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.continuity import ContinuityIssue, ScriptChange, ValidationResult
from storyforge.domain.job import Job, JobState
from storyforge.domain.script import Script
from storyforge.errors import NotFound, ScriptInvalid
from tests.builders import accept, new_scene
from tests.scheduler.rig import FakeWriter, Rig

_BIBLE = SceneBible(
    characters=(
        Character(id="tom", name="Tom Harker", status="dead"),
        Character(id="mira", name="Mira"),
    )
)


class Contrite(FakeWriter):
    """Lets somebody else act when a script comes back; counts how often one does."""

    asked = 0

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        self.asked += 1
        assert issues
        assert all(one.severity == "error" for one in issues)
        better = brief.text.replace("Tom", "Mira")
        shots = tuple(
            shot.model_copy(update={"narration": better, "prompt": better}) for shot in script.shots
        )
        return script.model_copy(update={"shots": shots})


class Stubborn(Contrite):
    """Writes the same fault in other words."""

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        del brief, issues
        self.asked += 1
        shots = tuple(
            shot.model_copy(update={"narration": "Tom closed the door."}) for shot in script.shots
        )
        return script.model_copy(update={"shots": shots})


class Speechless(FakeWriter):
    """Has no usable second script."""

    def revise(
        self, brief: ScriptBrief, script: Script, issues: tuple[ContinuityIssue, ...]
    ) -> Script:
        raise ScriptInvalid("Nothing usable came.")


def _filmed(
    database: Database, folder: Path, text: str, writer: FakeWriter
) -> tuple[Job, ValidationResult]:
    scene = new_scene(database, _BIBLE)
    job_id = accept(database, scene.id, text=text).job.id
    rig = Rig(database, folder, validator=RuleValidator(), language=writer)
    rig.drain()
    with database.read() as c:
        return rig.job(job_id), reports.job_report(c, job_id)


@pytest.mark.parametrize("writer", [FakeWriter, Stubborn, Speechless])
def test_a_contradiction_that_stays_ends_the_job_and_its_report_is_there(
    database: Database, tmp_path: Path, writer: type[FakeWriter]
) -> None:
    writing = writer()
    job, report = _filmed(database, tmp_path, "Tom opened the door.", writing)
    assert job.state is JobState.DEAD
    assert job.error is not None
    assert job.error.code == "continuity_broken"
    assert "continuity report" in job.error.detail
    assert not report.valid
    assert report.errors
    assert report.errors[0].description in job.error.detail
    if isinstance(writing, Stubborn):
        assert writing.asked == 1, "a script goes back once"


def test_a_script_that_comes_back_better_is_filmed_and_the_report_says_so(
    database: Database, tmp_path: Path
) -> None:
    writer = Contrite()
    job, report = _filmed(database, tmp_path, "Tom opened the door.", writer)
    assert job.state is JobState.DONE
    assert writer.asked == 1
    assert report.valid
    assert {one.type for one in report.corrected} == {"timeline_error"}
    assert (
        ScriptChange(
            location="shots[0].narration",
            before="Tom opened the door.",
            after="Mira opened the door.",
        )
        in report.changes
    )
    assert "fake-writer/1" in report.notes[0]


def test_a_repair_shows_its_diff_on_the_job_and_the_segment(
    database: Database, tmp_path: Path
) -> None:
    job, report = _filmed(database, tmp_path, "Then Myra opened the door.", FakeWriter())
    assert job.state is JobState.DONE
    assert [one.suggestion for one in report.corrected] == ["Mira", "Mira"]
    assert ("Then Myra opened the door.", "Then Mira opened the door.") in [
        (one.before, one.after) for one in report.changes
    ]
    with database.read() as c:
        segment = segment_rows.list_segments(c, job.scene_id, limit=1)[0]
        assert reports.segment_report(c, job.scene_id, segment.id) == report


def test_before_the_check_there_is_no_report(database: Database) -> None:
    job_id = accept(database, new_scene(database).id, text="A fox.").job.id
    with database.read() as c, pytest.raises(NotFound, match="no continuity report yet"):
        reports.job_report(c, job_id)
