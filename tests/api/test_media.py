"""Media files: whole, in ranges, unchanged, signed; and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.media import _WHOLE_BYTES
from storyforge.errors import StoreUnreachable
from storyforge.storage import Bucket
from tests.api.nodes import Node

KEY = "videos/scene/segment/720p_0001.ts"
DATA = bytes(range(256)) * 4


@pytest.fixture
def url(node: Node) -> str:
    node.store.put_bytes(Bucket.VIDEOS, KEY, DATA, content_type="video/mp2t")
    return f"/media/{KEY}"


def test_a_file_comes_with_type_tag_and_a_week_of_caching(node: Node, url: str) -> None:
    answer = node.client.get(url)
    assert answer.content == DATA
    assert answer.headers["content-type"] == "video/mp2t"
    assert answer.headers["cache-control"] == "public, max-age=604800, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    head = node.client.head(url)
    assert head.headers["content-length"] == str(len(DATA))
    assert head.headers["etag"] == answer.headers["etag"]
    assert head.content == b""


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=1000-99999", 1000, 1023),
        ("bytes=-99999", 0, 1023),
    ],
)
def test_a_range_is_what_was_asked(
    node: Node, url: str, wanted: str, first: int, last: int
) -> None:
    answer = node.client.get(url, headers={"range": wanted})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.content == DATA[first : last + 1]


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_past_the_end_is_a_416(node: Node, url: str, wanted: str) -> None:
    answer = node.client.get(url, headers={"range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,5-6", "bytes=" + ",".join(["0-1"] * 10_000), "chunks=0-1", "bytes=9-1", "bytes=a-"],
)
def test_ranges_that_we_do_not_serve_give_the_whole(node: Node, url: str, wanted: str) -> None:
    answer = node.client.get(url, headers={"range": wanted})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_tags_decide_what_is_sent(node: Node, url: str) -> None:
    tag = node.client.get(url).headers["etag"]
    same = node.client.get(url, headers={"if-none-match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["cache-control"] == "public, max-age=604800, immutable"
    part = {"range": "bytes=0-3"}
    assert node.client.get(url, headers={**part, "if-range": tag}).status_code == 206
    assert node.client.get(url, headers={**part, "if-range": '"other"'}).status_code == 200
    assert node.client.get(url, headers={"if-none-match": '"other"'}).status_code == 200


def test_long_files_are_streamed(node: Node) -> None:
    data = b"0123456789abcdef" * (_WHOLE_BYTES // 8)
    node.store.put_bytes(Bucket.VIDEOS, "videos/long.mp4", data, content_type="video/mp4")
    assert node.client.get("/media/videos/long.mp4").content == data
    part = node.client.get("/media/videos/long.mp4", headers={"range": "bytes=7-"})
    assert part.content == data[7:]
    assert part.headers["content-length"] == str(len(data) - 7)


@pytest.mark.parametrize(
    "path",
    [
        "videos/none.ts",
        "videos/../../storyforge.db",
        "videos/%2e%2e/%2e%2e/storyforge.db",
        "videos/..%2f..%2fstoryforge.db",
        "videos//etc/passwd",
        "videos/a%00b",
        "videos/%e9",
        "videos/",
        "",
        "internal/x",
        "exports/x.mp4",
        "videos/" + "x" * 3000,
    ],
)
def test_nothing_else_can_be_reached(node: Node, path: str) -> None:
    node.store.put_bytes(Bucket.INTERNAL, "internal/x", b"secret", content_type="text/plain")
    node.store.put_bytes(Bucket.EXPORTS, "exports/x.mp4", b"secret", content_type="video/mp4")
    answer = node.client.get(f"/media/{path}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_a_token_opens_one_export_until_it_ends(node: Node) -> None:
    key = "exports/scene/film.mp4"
    node.store.put_bytes(Bucket.EXPORTS, key, DATA, content_type="video/mp4")
    url = node.store.presigned_get(Bucket.EXPORTS, key, 60, download_name="Der Fuchs.mp4")
    answer = node.client.get(url)
    assert answer.content == DATA
    assert answer.headers["content-disposition"].startswith('attachment; filename="Der Fuchs.mp4"')
    assert "no-store" in answer.headers["cache-control"]
    assert node.client.get(url, headers={"range": "bytes=0-3"}).content == DATA[:4]
    assert node.client.get(url.replace("Fuchs", "Wolf")).status_code == 403
    assert node.client.get(url.replace("film.mp4?", "other.mp4?")).status_code == 403
    past = datetime.now(tz=UTC) - timedelta(seconds=1)
    token = node.signer.sign_key(Bucket.EXPORTS, key, past)
    assert node.client.get(f"/media/signed/{token}/exports/{key}").status_code == 403
    assert node.client.get(f"/media/signed/{token}/internal/{key}").status_code == 404


def test_a_store_that_is_away_is_a_503(node: Node, url: str, monkeypatch: object) -> None:
    def away(*_: object) -> None:
        raise StoreUnreachable("The object store does not answer.", retry_after_s=7)

    node.store.head = away  # type: ignore[method-assign,assignment]
    answer = node.client.get(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_a_file_cut_short_on_disk_is_no_object(node: Node, url: str) -> None:
    path = node.store.local_path(Bucket.VIDEOS, KEY)
    assert isinstance(path, Path)
    path.write_bytes(DATA[:100])
    assert node.client.get(url).status_code == 404
