"""Film records over HTTP: the whole one, its line in the playlist, and that on the page."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import update

from storyforge.database.tables import segments
from tests.api.nodes import Node
from tests.builders import film_record


def test_the_record_goes_with_its_segment(node: Node) -> None:
    scene_id = node.scene()
    segment_id = node.film(scene_id)
    url = f"/v1/scenes/{scene_id}/segments/{segment_id}/film"
    assert node.client.get(url).json() == film_record().to_json()
    assert node.client.get(url.replace(segment_id, str(uuid4()))).status_code == 404
    assert node.client.delete(f"/v1/scenes/{scene_id}/segments/{segment_id}").status_code == 200
    assert node.client.get(url).status_code == 404


def test_the_playlist_and_the_page_say_it_in_a_line(node: Node) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    [item] = node.client.get(f"/v1/scenes/{scene_id}/playlist").json()["items"]
    assert item["filmed"] == "Filmed by test-camera."
    assert "Filmed by test-camera." in node.client.get(f"/scenes/{scene_id}").text


def test_a_segment_from_before_there_were_records_has_none_and_says_so(node: Node) -> None:
    scene_id = node.scene()
    segment_id = node.film(scene_id)
    node.database.write(lambda c: c.execute(update(segments).values(film=None)))
    answer = node.client.get(f"/v1/scenes/{scene_id}/segments/{segment_id}/film")
    assert answer.status_code == 404
    assert "before film records" in answer.json()["detail"]
    [item] = node.client.get(f"/v1/scenes/{scene_id}/playlist").json()["items"]
    assert item["filmed"] == ""
