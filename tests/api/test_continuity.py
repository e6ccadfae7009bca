"""Continuity reports over HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

from storyforge import clock
from storyforge.database.tables import stage_results
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.job import Stage
from tests.api.nodes import Node


def _checked(node: Node, job_id: str, item: int, note: str) -> None:
    report = ValidationResult(valid=item == 0, notes=(note,))
    node.database.write(
        lambda c: c.execute(
            stage_results.insert().values(
                job_id=UUID(job_id),
                stage=Stage.CHECK_CONTINUITY,
                item=item,
                input_hash=note,
                body={"report": report.to_json(), "script": {}},
                epoch=1,
                created_at=clock.utc_now(),
            )
        )
    )


def test_a_jobs_report_is_the_accepted_one_or_else_the_one_that_stopped_it(node: Node) -> None:
    job_id = node.ask(node.scene())["jobId"]
    url = f"/v1/jobs/{job_id}/continuity"
    assert node.client.get(url).status_code == 404
    _checked(node, job_id, 1, "stopped")
    assert node.client.get(url).json()["notes"] == ["stopped"]
    _checked(node, job_id, 0, "accepted")
    answer = node.client.get(url).json()
    assert (answer["notes"], answer["valid"]) == (["accepted"], True)
    assert node.client.get(f"/v1/jobs/{uuid4()}/continuity").status_code == 404


def test_a_segments_report_goes_with_the_segment(node: Node) -> None:
    scene_id = node.scene()
    segment_id = node.film(scene_id)
    url = f"/v1/scenes/{scene_id}/segments/{segment_id}/continuity"
    assert node.client.get(url).json()["valid"] is True
    assert node.client.get(url.replace(segment_id, str(uuid4()))).status_code == 404
    assert node.client.delete(f"/v1/scenes/{scene_id}/segments/{segment_id}").status_code == 200
    assert node.client.get(url).status_code == 404
