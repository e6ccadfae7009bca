"""How a scene plays: JSON pages, the master, the rungs, their tags and their cache."""

from __future__ import annotations

import gzip
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import pytest

from api.services import Services
from storyforge.playlists import PLAYLIST_TYPE
from tests.api.nodes import Node


def services_of(node: Node) -> Services:
    found: Services = node.app.state.services
    return found


def rung_url(node: Node, scene_id: str, rung: str = "720p", query: str = "") -> str:
    base = f"/v1/scenes/{scene_id}/master.m3u8{query}"
    master = node.client.get(base).text
    line = next(line for line in master.splitlines() if f"{rung}.m3u8" in line)
    return urljoin(base, line)


def raw(node: Node, url: str, **headers: str) -> Any:
    return node.client.get(url, headers={"accept-encoding": "identity", **headers})


def test_the_json_pages_follow_the_story(node: Node) -> None:
    scene_id = node.scene()
    made = [node.film(scene_id, f"Part {number}.") for number in range(5)]
    url = f"/v1/scenes/{scene_id}/playlist"
    first = node.client.get(f"{url}?limit=3").json()
    assert first["segmentCount"] == 5
    assert first["nextAfter"] == 3
    rest = node.client.get(f"{url}?limit=3&after=3").json()
    assert rest["nextAfter"] is None
    items = first["items"] + rest["items"]
    assert [item["id"] for item in items] == made
    assert [item["number"] for item in items] == [1, 2, 3, 4, 5]
    assert items[0]["text"] == "Part 0."
    assert items[0]["seconds"] == 6.0
    assert items[0]["shots"][0]["narration"] == "Part 0."
    base = f"/media/videos/{scene_id}/{made[0]}"
    assert items[0]["masterUrl"] == f"{base}/master.m3u8"
    assert items[0]["thumbnailUrl"] == f"{base}/thumbnail.jpg"
    assert items[0]["spritesUrl"] == f"{base}/sprites.vtt"


def test_an_unchanged_page_is_a_304(node: Node) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    url = f"/v1/scenes/{scene_id}/playlist"
    tag = node.client.get(url).headers["etag"]
    assert node.client.get(url, headers={"if-none-match": tag}).status_code == 304
    assert node.client.get(f"{url}?after=1", headers={"if-none-match": tag}).status_code == 200
    node.film(scene_id)
    assert node.client.get(url, headers={"if-none-match": tag}).status_code == 200


def test_before_the_first_segment_there_is_nothing_to_play(node: Node) -> None:
    scene_id = node.scene()
    for path in ("master.m3u8", "p1/720p.m3u8"):
        answer = node.client.get(f"/v1/scenes/{scene_id}/{path}")
        assert answer.status_code == 404
        assert "no film yet" in answer.json()["detail"]
    assert node.client.get(f"/v1/scenes/{uuid4()}/master.m3u8").status_code == 404
    assert node.client.get(f"/v1/scenes/{scene_id}/playlist").json()["items"] == []


def test_the_master_points_at_the_rungs_of_the_epoch(node: Node) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    answer = node.client.get(f"/v1/scenes/{scene_id}/master.m3u8")
    assert answer.headers["content-type"] == PLAYLIST_TYPE
    assert answer.headers["cache-control"] == "no-cache"
    assert "PLAYLIST-TYPE" not in answer.text
    assert re.findall(r"^p1/(\d+p)\.m3u8$", answer.text, re.MULTILINE) == ["720p", "480p"]
    tag = answer.headers["etag"]
    url = f"/v1/scenes/{scene_id}/master.m3u8"
    assert node.client.get(url, headers={"if-none-match": tag}).status_code == 304


def test_a_rung_is_an_open_event_whose_addresses_lead_to_the_media(node: Node) -> None:
    scene_id = node.scene()
    made = [node.film(scene_id), node.film(scene_id)]
    url = rung_url(node, scene_id)
    text = raw(node, url).text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert "#EXT-X-START:TIME-OFFSET=0" in text
    assert "#EXT-X-ENDLIST" not in text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    uris = [line for line in text.splitlines() if not line.startswith("#")]
    assert not any(uri.startswith(("/", "http")) for uri in uris)
    assert urljoin(url, uris[0]) == f"/media/videos/{scene_id}/{made[0]}/720p_0001.ts"
    assert urljoin(url, uris[-1]) == f"/media/videos/{scene_id}/{made[1]}/720p_0003.ts"


def test_an_event_only_appends(node: Node) -> None:
    scene_id = node.scene()
    before = b""
    for _ in range(4):
        node.film(scene_id)
        now = raw(node, rung_url(node, scene_id)).content
        assert now.startswith(before)
        assert now != before
        before = now


def test_a_304_is_answered_without_building(node: Node) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    url = rung_url(node, scene_id)
    tag = raw(node, url).headers["etag"]
    services_of(node).playlists._films.clear()
    read = services_of(node).playlists.segments_read
    answer = raw(node, url, **{"if-none-match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert services_of(node).playlists.segments_read == read
    node.film(scene_id)
    assert raw(node, url, **{"if-none-match": tag}).status_code == 200


def test_gzip_is_the_same_text_under_another_tag(node: Node) -> None:
    scene_id = node.scene()
    for _ in range(3):
        node.film(scene_id)
        url = rung_url(node, scene_id)
        plain = raw(node, url)
        packed = raw(node, url, **{"accept-encoding": "br, gzip;q=0.5"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.content == plain.content
        assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in raw(node, url, **{"accept-encoding": "gzip;q=0"}).headers
    for tag, encoding, status in (
        (packed.headers["etag"], "gzip", 304),
        (packed.headers["etag"], "identity", 200),
        (plain.headers["etag"], "identity", 304),
    ):
        headers = {"if-none-match": tag, "accept-encoding": encoding}
        assert raw(node, url, **headers).status_code == status


def test_the_grown_gzip_is_one_member_that_any_reader_takes(node: Node) -> None:
    scene_id = node.scene()
    for _ in range(3):
        node.film(scene_id)
        raw(node, rung_url(node, scene_id))
    playlists = services_of(node).playlists
    film = next(iter(playlists._films.values()))
    packed = film.rungs["720p"].gzipped(3)
    reader = zlib.decompressobj(31)
    assert reader.decompress(packed) == gzip.decompress(packed) == film.rungs["720p"].plain(3)
    assert reader.eof
    assert reader.unused_data == b""


def test_only_new_segments_are_read_and_many_readers_build_once(node: Node) -> None:
    scene_id = node.scene()
    for _ in range(3):
        node.film(scene_id)
    url = f"/v1/scenes/{scene_id}/p1/720p.m3u8"
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: raw(node, url).content, range(16)))
    assert len(set(texts)) == 1
    assert services_of(node).playlists.segments_read == 3
    node.film(scene_id)
    raw(node, url)
    raw(node, f"/v1/scenes/{scene_id}/p1/480p.m3u8")
    node.client.get(f"/v1/scenes/{scene_id}/master.m3u8")
    assert services_of(node).playlists.segments_read == 4


def test_a_revision_is_a_finished_film_that_never_changes(node: Node) -> None:
    scene_id = node.scene()
    for _ in range(3):
        node.film(scene_id)
    master = node.client.get(f"/v1/scenes/{scene_id}/master.m3u8?rev=2").text
    url = rung_url(node, scene_id, query="?rev=2")
    assert url.endswith("p1/720p.m3u8?rev=2")
    answer = raw(node, url)
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in answer.text
    assert answer.text.endswith("#EXT-X-ENDLIST\n")
    assert answer.text.count("#EXTINF") == 6
    node.film(scene_id)
    assert raw(node, url).content == answer.content
    assert raw(node, url).headers["etag"] == answer.headers["etag"]
    assert raw(node, url, **{"accept-encoding": "gzip"}).content == answer.content
    assert node.client.get(f"/v1/scenes/{scene_id}/master.m3u8?rev=2").text == master
    assert node.client.get(f"/v1/scenes/{scene_id}/master.m3u8?rev=5").status_code == 404
    for wrong in ("0", "-1", "x", "99999999999"):
        assert node.client.get(f"/v1/scenes/{scene_id}/master.m3u8?rev={wrong}").status_code == 422


@pytest.mark.parametrize("how", ["remove", "retake"])
def test_a_hidden_segment_ends_its_epoch(node: Node, how: str) -> None:
    scene_id = node.scene()
    first, second = node.film(scene_id), node.film(scene_id)
    old = rung_url(node, scene_id)
    tag = raw(node, old).headers["etag"]
    segment = f"/v1/scenes/{scene_id}/segments/{second}"
    if how == "remove":
        node.client.delete(segment)
    else:
        job_id = node.client.post(f"{segment}/retake", json={}).json()["jobId"]
        assert raw(node, old).status_code == 200  # the old one plays until the new one is there
        second = node.finish(job_id)
    gone = raw(node, old, **{"if-none-match": tag})
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    now = raw(node, rung_url(node, scene_id)).text
    assert "/p2/" in rung_url(node, scene_id)
    assert first in now
    assert (second in now) == (how == "retake")
    assert raw(node, f"/v1/scenes/{scene_id}/p3/720p.m3u8").status_code == 404


def test_a_scene_without_segments_left_has_no_film(node: Node) -> None:
    scene_id = node.scene()
    node.client.delete(f"/v1/scenes/{scene_id}/segments/{node.film(scene_id)}")
    assert node.client.get(f"/v1/scenes/{scene_id}/master.m3u8").status_code == 404
    node.film(scene_id)
    assert "/p2/" in rung_url(node, scene_id)


@pytest.mark.parametrize("rung", ["144p", "..%2f720p", "%00", "720p%0d%0aX-Evil:1"])
def test_unknown_rungs_are_not_found(node: Node, rung: str) -> None:
    scene_id = node.scene()
    node.film(scene_id)
    answer = node.client.get(f"/v1/scenes/{scene_id}/p1/{rung}.m3u8")
    assert answer.status_code == 404
    assert "x-evil" not in answer.headers


def test_the_cache_is_bounded(node: Node) -> None:
    services_of(node).playlists._max_scenes = 2
    for _ in range(4):
        scene_id = node.scene()
        node.film(scene_id)
        raw(node, rung_url(node, scene_id))
    assert len(services_of(node).playlists._films) == 2
