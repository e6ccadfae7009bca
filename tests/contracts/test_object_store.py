"""What every object store promises, tried on each implementation."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from storyforge import clock
from storyforge.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    ObjectDamaged,
    RangeNotSatisfiable,
    TooLarge,
)
from storyforge.storage import Bucket, ByteRange, ObjectStore, TokenSigner
from storyforge.storage.filesystem import FilesystemStore
from storyforge.storage.memory import MemoryStore
from storyforge.storage.s3 import S3Store

SIGNER = TokenSigner(b"k" * 32)
TEXT = "text/plain"
PUBLIC_CACHE = "public, max-age=604800, immutable"


@dataclass
class Tried:
    """A store, how to fetch one of its presigned addresses, and a prefix of this test's own."""

    store: ObjectStore
    prefix: str
    served_by: str

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    def fetch(self, url: str) -> tuple[int, bytes, str]:
        """Status, body and content disposition, as a client gets them."""
        if self.served_by == "s3":
            return _fetch_over_http(url)
        path = urlsplit(url).path.removeprefix("/media/signed/")
        token, bucket, key = path.split("/", 2)
        name = parse_qs(urlsplit(url).query).get("download", [""])[0]
        try:
            SIGNER.verify(token, Bucket(bucket), key, name)
        except Forbidden:
            return 403, b"", ""
        disposition = f'attachment; filename="{name}"' if name else ""
        return 200, self.store.get_bytes(Bucket(bucket), key, 10_000_000), disposition


def _fetch_over_http(url: str) -> tuple[int, bytes, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Disposition") or ""
    finally:
        connection.close()


@pytest.fixture(params=["filesystem", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tried]:
    prefix = f"t/{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]}"
    store: ObjectStore
    if request.param == "filesystem":
        store = FilesystemStore(tmp_path / "objects", SIGNER)
    elif request.param == "memory":
        store = MemoryStore(SIGNER)
    else:
        store = S3Store(request.getfixturevalue("s3_settings"))
    yield Tried(store, prefix, request.param)
    store.close()


def _file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(data)
    return path


def test_a_stored_file_comes_back_whole_with_its_type_and_hash(
    tried: Tried, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 3000
    sha256 = hashlib.sha256(data).hexdigest()
    key = tried.key("film/720p_0001.ts")
    put = tried.store.put_file(
        Bucket.VIDEOS, key, _file(tmp_path, data), content_type="video/mp2t", sha256=sha256
    )
    head = tried.store.head(Bucket.VIDEOS, key)
    assert head is not None
    assert (head.size_bytes, head.sha256, head.etag) == (len(data), sha256, f'"{sha256}"')
    assert (head.content_type, head.cache_control) == ("video/mp2t", PUBLIC_CACHE)
    assert (put.key, put.size_bytes, put.sha256) == (key, len(data), sha256)
    with tried.store.open(Bucket.VIDEOS, key) as opened:
        assert opened.length_bytes == len(data)
        assert opened.info.etag == head.etag
        assert b"".join(opened) == data


def test_an_empty_object_is_an_object(tried: Tried, tmp_path: Path) -> None:
    key = tried.key("empty")
    tried.store.put_file(Bucket.ASSETS, key, _file(tmp_path, b""), content_type=TEXT)
    assert tried.store.get_bytes(Bucket.ASSETS, key, 10) == b""


def test_a_file_that_differs_from_its_record_is_refused_and_not_stored(
    tried: Tried, tmp_path: Path
) -> None:
    key = tried.key("bad")
    with pytest.raises(ObjectDamaged):
        tried.store.put_file(
            Bucket.VIDEOS, key, _file(tmp_path, b"abc"), content_type=TEXT, sha256="0" * 64
        )
    assert tried.store.head(Bucket.VIDEOS, key) is None


def test_a_missing_local_file_is_a_damaged_object_that_names_the_key(
    tried: Tried, tmp_path: Path
) -> None:
    with pytest.raises(ObjectDamaged, match="bad") as caught:
        tried.store.put_file(
            Bucket.VIDEOS, tried.key("bad"), tmp_path / "nothing", content_type=TEXT
        )
    assert str(tmp_path) not in caught.value.detail


def test_putting_the_same_again_changes_nothing(tried: Tried) -> None:
    key = tried.key("twice")
    first = tried.store.put_bytes(Bucket.VIDEOS, key, b"same", content_type=TEXT)
    again = tried.store.put_bytes(Bucket.VIDEOS, key, b"same", content_type=TEXT)
    assert first.etag == again.etag
    assert tried.store.get_bytes(Bucket.VIDEOS, key, 10) == b"same"
    assert [one.key for one in tried.store.list(Bucket.VIDEOS, key)] == [key]


def test_another_content_replaces_the_whole_object(tried: Tried) -> None:
    key = tried.key("replaced")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"old and long", content_type="video/mp4")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"new", content_type=TEXT, cache_control="no-cache")
    head = tried.store.head(Bucket.VIDEOS, key)
    assert head is not None
    assert (head.size_bytes, head.content_type, head.cache_control) == (3, TEXT, "no-cache")
    assert head.sha256 == hashlib.sha256(b"new").hexdigest()
    assert tried.store.get_bytes(Bucket.VIDEOS, key, 10) == b"new"


def test_many_writers_of_one_content_all_succeed(tried: Tried) -> None:
    key = tried.key("raced")
    failures: list[BaseException] = []

    def put() -> None:
        try:
            for _ in range(3):
                tried.store.put_bytes(Bucket.VIDEOS, key, b"raced" * 1000, content_type=TEXT)
        except BaseException as exc:  # noqa: BLE001  carried to the asserting thread
            failures.append(exc)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tried.store.get_bytes(Bucket.VIDEOS, key, 10_000) == b"raced" * 1000


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (ByteRange(0, 3), b"0123"),
        (ByteRange(4), b"456789"),
        (ByteRange(None, 3), b"789"),
        (ByteRange(8, 100), b"89"),
        (ByteRange(None, 100), b"0123456789"),
    ],
)
def test_a_range_gives_just_those_bytes(tried: Tried, asked: ByteRange, expected: bytes) -> None:
    key = tried.key("digits")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"0123456789", content_type=TEXT)
    with tried.store.open(Bucket.VIDEOS, key, asked) as opened:
        first = b"0123456789".index(expected)
        assert opened.content_range == f"bytes {first}-{first + len(expected) - 1}/10"
        assert opened.length_bytes == len(expected)
        assert opened.info.size_bytes == 10
        assert opened.info.sha256 == hashlib.sha256(b"0123456789").hexdigest()
        assert b"".join(opened) == expected


@pytest.mark.parametrize("asked", [ByteRange(10), ByteRange(10, 20), ByteRange(None, 0)])
def test_a_range_past_the_end_tells_the_size(tried: Tried, asked: ByteRange) -> None:
    key = tried.key("digits")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"0123456789", content_type=TEXT)
    with pytest.raises(RangeNotSatisfiable) as caught:
        tried.store.open(Bucket.VIDEOS, key, asked)
    assert caught.value.size_bytes == 10


def test_what_is_not_there_is_not_found(tried: Tried) -> None:
    key = tried.key("absent")
    assert tried.store.head(Bucket.VIDEOS, key) is None
    with pytest.raises(NotFound, match="absent"):
        tried.store.open(Bucket.VIDEOS, key)
    with pytest.raises(NotFound, match="absent"):
        tried.store.get_bytes(Bucket.VIDEOS, key, 10)
    with pytest.raises(NotFound, match="absent"):
        tried.store.open(Bucket.VIDEOS, key, ByteRange(0, 1))
    tried.store.delete(Bucket.VIDEOS, key)
    tried.store.delete_many(Bucket.VIDEOS, [key, tried.key("absent2")])
    tried.store.delete_many(Bucket.VIDEOS, [])


def test_buckets_are_apart(tried: Tried) -> None:
    key = tried.key("here")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"v", content_type=TEXT)
    tried.store.put_bytes(Bucket.EXPORTS, key, b"e", content_type=TEXT)
    tried.store.delete(Bucket.EXPORTS, key)
    assert tried.store.head(Bucket.EXPORTS, key) is None
    assert tried.store.get_bytes(Bucket.VIDEOS, key, 10) == b"v"


def test_reading_more_than_the_limit_is_refused_before_it_is_read(tried: Tried) -> None:
    key = tried.key("long")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"x" * 11, content_type=TEXT)
    with pytest.raises(TooLarge, match="11 bytes"):
        tried.store.get_bytes(Bucket.VIDEOS, key, 10)
    assert len(tried.store.get_bytes(Bucket.VIDEOS, key, 11)) == 11


def test_a_listing_is_sorted_by_bytes_and_holds_only_the_prefix(tried: Tried) -> None:
    names = ["a", "a-b", "a.b", "a/b", "a/b-c/d", "a/b.c", "a0", "b/a", "B"]
    for name in names:
        tried.store.put_bytes(Bucket.VIDEOS, tried.key(name), name.encode(), content_type=TEXT)
    listed = list(tried.store.list(Bucket.VIDEOS, f"{tried.prefix}/"))
    assert [one.key for one in listed] == sorted(tried.key(name) for name in names)
    assert {one.size_bytes for one in listed} == {len(name) for name in names}
    age_s = abs((clock.utc_now() - listed[0].modified_at).total_seconds())
    assert age_s < 600
    partial = [one.key for one in tried.store.list(Bucket.VIDEOS, tried.key("a/b"))]
    assert partial == [tried.key(name) for name in ("a/b", "a/b-c/d", "a/b.c")]
    assert list(tried.store.list(Bucket.VIDEOS, tried.key("none/"))) == []


def test_deleted_objects_are_gone_and_their_neighbours_stay(tried: Tried) -> None:
    keys = [tried.key(f"d/{number}") for number in range(5)]
    for key in keys:
        tried.store.put_bytes(Bucket.VIDEOS, key, b"x", content_type=TEXT)
    tried.store.delete_many(Bucket.VIDEOS, keys[:4])
    assert [one.key for one in tried.store.list(Bucket.VIDEOS, tried.prefix)] == keys[4:]
    tried.store.delete(Bucket.VIDEOS, keys[4])
    assert list(tried.store.list(Bucket.VIDEOS, tried.prefix)) == []
    tried.store.put_bytes(Bucket.VIDEOS, keys[0], b"y", content_type=TEXT)
    assert tried.store.get_bytes(Bucket.VIDEOS, keys[0], 10) == b"y"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a/.hidden",
        "a\\b",
        "a\0b",
        "a\nb",
        "a,b",
        "a b",
        "a%2e",
        "ä",
        "x" * 181,
        "/".join(["y" * 100] * 11),
    ],
)
def test_a_dangerous_key_is_refused_everywhere(tried: Tried, key: str, tmp_path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: tried.store.put_bytes(Bucket.VIDEOS, key, b"x", content_type=TEXT),
        lambda: tried.store.put_file(Bucket.VIDEOS, key, _file(tmp_path, b"x"), content_type=TEXT),
        lambda: tried.store.head(Bucket.VIDEOS, key),
        lambda: tried.store.open(Bucket.VIDEOS, key),
        lambda: tried.store.get_bytes(Bucket.VIDEOS, key, 1),
        lambda: tried.store.delete(Bucket.VIDEOS, key),
        lambda: tried.store.delete_many(Bucket.VIDEOS, [key]),
        lambda: tried.store.presigned_get(Bucket.VIDEOS, key, 60),
        lambda: tried.store.local_path(Bucket.VIDEOS, key),
    ]
    for call in calls:
        with pytest.raises(InvalidInput):
            call()


@pytest.mark.parametrize("prefix", ["../", "/a", "a//", "a/../", "a\0"])
def test_a_dangerous_listing_prefix_is_refused(tried: Tried, prefix: str) -> None:
    with pytest.raises(InvalidInput):
        list(tried.store.list(Bucket.VIDEOS, prefix))


def test_a_presigned_address_reads_one_object_and_no_other(tried: Tried) -> None:
    key, other = tried.key("signed.mp4"), tried.key("secret.mp4")
    tried.store.put_bytes(Bucket.EXPORTS, key, b"film", content_type="video/mp4")
    tried.store.put_bytes(Bucket.EXPORTS, other, b"other", content_type="video/mp4")
    url = tried.store.presigned_get(Bucket.EXPORTS, key, 60)
    assert tried.fetch(url)[:2] == (200, b"film")
    assert tried.fetch(url.replace("signed.mp4", "secret.mp4"))[0] == 403
    expired = tried.store.presigned_get(Bucket.EXPORTS, key, 1)
    clock.sleep_s(2.1)
    assert tried.fetch(expired)[0] == 403


def test_a_presigned_download_carries_its_name(tried: Tried) -> None:
    key = tried.key("signed.mp4")
    tried.store.put_bytes(Bucket.EXPORTS, key, b"film", content_type="video/mp4")
    url = tried.store.presigned_get(Bucket.EXPORTS, key, 60, "The dragon.mp4")
    status, body, disposition = tried.fetch(url)
    assert (status, body) == (200, b"film")
    assert disposition.startswith("attachment")
    assert "The dragon.mp4" in disposition or "The%20dragon.mp4" in disposition
    assert tried.fetch(url.replace("dragon", "drag0n"))[0] == 403


def test_a_local_path_holds_the_bytes_or_is_none(tried: Tried) -> None:
    key = tried.key("local.ts")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"bytes", content_type="video/mp2t")
    path = tried.store.local_path(Bucket.VIDEOS, key)
    assert path is None or path.read_bytes() == b"bytes"


def test_clearing_stale_uploads_leaves_finished_objects(tried: Tried) -> None:
    key = tried.key("kept")
    tried.store.put_bytes(Bucket.VIDEOS, key, b"kept", content_type=TEXT)
    tried.store.abort_stale_uploads(older_than_s=0)
    assert tried.store.get_bytes(Bucket.VIDEOS, key, 10) == b"kept"


def test_a_good_store_passes_its_probe_and_keeps_nothing_of_it(tried: Tried) -> None:
    report = tried.store.probe()
    assert report.passed, report
    report.require()
    assert len(report.checks) >= 20
    for bucket in Bucket:
        assert list(tried.store.list(bucket, "probe/")) == []
