"""The S3 store on a real server that fails in every way of the fault matrix (F47 to F54)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from storyforge.errors import (
    Broken,
    ObjectDamaged,
    StorageDenied,
    StorageFull,
    StoreUnreachable,
)
from storyforge.settings import StoreSettings
from storyforge.storage import Bucket, ByteRange
from storyforge.storage.s3 import S3Store
from tests.servers.ceph_rgw import CephRgw
from tests.servers.faulty_s3_proxy import (
    Corrupt,
    CutReply,
    DropReply,
    Fail,
    FaultyS3Proxy,
    Reset,
    Rule,
    Stall,
)
from tests.servers.fixtures import OpenS3

pytestmark = pytest.mark.s3
TEXT = "text/plain"
MIB = 1024 * 1024
SECRETS = ("Signature=", "Credential", "X-Amz", "127.0.0.1", "http://")


@pytest.fixture
def store(proxied_s3_settings: StoreSettings) -> Iterator[S3Store]:
    """A store behind the failing proxy."""
    with contextlib.closing(S3Store(proxied_s3_settings)) as store:
        yield store


@pytest.fixture
def sound(s3_settings: StoreSettings) -> Iterator[S3Store]:
    """The same server without the proxy."""
    with contextlib.closing(S3Store(s3_settings)) as store:
        yield store


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"faults/{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]}"


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Three parts: 5 + 5 + 1 MiB of bytes that differ everywhere."""
    path = tmp_path / "long.mp4"
    block = hashlib.shake_256(b"film").digest(MIB)
    with path.open("wb") as file:
        for number in range(11):
            file.write(bytes([number]) + block[1:])
    return path


def _open_uploads(store: S3Store, key: str) -> list[str]:
    name = store._names[Bucket.VIDEOS]
    uploads = store._client.list_multipart_uploads(Bucket=name, Prefix=key).get("Uploads", [])
    return [upload["Key"] for upload in uploads]


def test_f47_three_passing_failures_are_retried(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [
        Rule(Fail(500, "InternalError"), method="PUT"),
        Rule(Fail(503, "SlowDown"), method="PUT"),
        Rule(Fail(503, "ServiceUnavailable"), method="PUT"),
    ]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 4
    assert store.get_bytes(Bucket.VIDEOS, key, 10) == b"film"


def test_f47_failures_without_end_stop_after_the_set_number_of_tries(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(Fail(503, "SlowDown", {"Retry-After": "17"}), times=None)]
    with pytest.raises(StoreUnreachable, match="SlowDown") as caught:
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 4
    assert caught.value.retry_after_s == 17


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"]
)
def test_f48_a_refusal_is_final_and_tells_no_secret(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, code: str, proxied_s3_settings: StoreSettings
) -> None:
    s3_proxy.script = [Rule(Fail(403, code), times=None)]
    with pytest.raises(StorageDenied, match=code) as caught:
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 1
    with pytest.raises(StorageDenied):
        store.head(Bucket.VIDEOS, key)
    secrets = (*SECRETS, proxied_s3_settings.access_key, proxied_s3_settings.secret_key)
    assert not [secret for secret in secrets if secret in caught.value.detail]


def test_f49_a_stall_ends_at_the_timeout_and_is_retried(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(Stall(30.0), method="PUT")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 2


def test_f49_a_stall_without_end_is_unreachable(
    open_s3: OpenS3, proxied_s3_settings: StoreSettings, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    impatient = {"attempts": 2, "read_timeout_s": 0.5}
    store = open_s3(proxied_s3_settings.model_copy(update=impatient))
    s3_proxy.script = [Rule(Stall(30.0), times=None)]
    with pytest.raises(StoreUnreachable, match="did not answer") as caught:
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 2
    assert not [secret for secret in SECRETS if secret in caught.value.detail]


def test_f50_a_put_whose_reply_is_lost_ends_with_the_right_object(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(DropReply(), method="PUT")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 2
    assert [one.key for one in store.list(Bucket.VIDEOS, key)] == [key]
    assert store.get_bytes(Bucket.VIDEOS, key, 10) == b"film"


def test_f50_a_multipart_completion_whose_reply_is_lost_ends_with_the_right_object(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    s3_proxy.script = [Rule(DropReply(), method="POST", query=frozenset({"uploadId"}))]
    put = store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4")
    assert store.head(Bucket.VIDEOS, key) is not None
    assert put.size_bytes == 11 * MIB
    assert s3_proxy.count("PUT", "partNumber") == 3
    assert _open_uploads(store, key) == []


def test_f50_a_retried_completion_may_find_its_upload_gone(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    completion = frozenset({"uploadId"})
    s3_proxy.script = [
        Rule(DropReply(), method="POST", query=completion),
        Rule(Fail(404, "NoSuchUpload"), method="POST", query=completion),
    ]
    store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4")
    assert s3_proxy.count("PUT", "partNumber") == 3
    assert store.head(Bucket.VIDEOS, key) is not None


def test_a_long_file_goes_in_parts_and_comes_back_whole(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    sha256 = hashlib.sha256(long_file.read_bytes()).hexdigest()
    store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4", sha256=sha256)
    assert s3_proxy.count("PUT", "partNumber") == 3
    assert s3_proxy.count("GET") == 0  # the ETag proved it: nothing was read back
    with store.open(Bucket.VIDEOS, key) as opened:
        assert hashlib.sha256(b"".join(opened)).hexdigest() == sha256
    with store.open(Bucket.VIDEOS, key, ByteRange(5 * MIB - 1, 5 * MIB + 1)) as opened:
        assert opened.info.sha256 == sha256
        assert b"".join(opened) == long_file.read_bytes()[5 * MIB - 1 : 5 * MIB + 2]


def test_f51_one_reset_in_the_middle_of_a_part_is_retried(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    s3_proxy.script = [Rule(Reset(), method="PUT", query=frozenset({"partNumber"}), skip=1)]
    put = store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4")
    assert s3_proxy.count("PUT", "partNumber") == 4
    assert put.sha256 == hashlib.sha256(long_file.read_bytes()).hexdigest()
    assert _open_uploads(store, key) == []


def test_f51_resets_without_end_leave_no_open_upload_and_no_object(
    store: S3Store, sound: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    s3_proxy.script = [
        Rule(Reset(), times=None, method="PUT", query=frozenset({"partNumber"}), skip=1)
    ]
    with pytest.raises(StoreUnreachable):
        store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4")
    assert s3_proxy.count("DELETE", "uploadId") == 1
    assert _open_uploads(sound, key) == []
    assert sound.head(Bucket.VIDEOS, key) is None


def test_an_upload_that_could_not_be_aborted_is_cleared_later(
    store: S3Store, sound: S3Store, s3_proxy: FaultyS3Proxy, key: str, long_file: Path
) -> None:
    s3_proxy.script = [
        Rule(Fail(403, "AccessDenied"), method="PUT", query=frozenset({"partNumber"}), skip=1),
        Rule(Fail(403, "AccessDenied"), method="DELETE"),
    ]
    with pytest.raises(StorageDenied):
        store.put_file(Bucket.VIDEOS, key, long_file, content_type="video/mp4")
    assert _open_uploads(sound, key) == [key]
    assert sound.abort_stale_uploads(older_than_s=3600) == 0
    assert _open_uploads(sound, key) == [key]
    assert sound.abort_stale_uploads(older_than_s=-60) >= 1
    assert _open_uploads(sound, key) == []


@pytest.mark.parametrize(
    "damage",
    [{"Content-Length": "3"}, {"x-amz-meta-sha256": "0" * 64}],
    ids=["size", "recorded checksum"],
)
def test_f53_a_damaged_arrival_is_uploaded_again(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, damage: dict[str, str]
) -> None:
    s3_proxy.script = [Rule(Corrupt(damage), method="HEAD")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 2
    assert store.get_bytes(Bucket.VIDEOS, key, 10) == b"film"


def test_f53_another_checksum_is_judged_by_reading_the_content(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    other_etag = Corrupt({"ETag": '"0123456789abcdef0123456789abcdef"'})
    s3_proxy.script = [Rule(other_etag, method="HEAD")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert (s3_proxy.count("PUT"), s3_proxy.count("GET")) == (1, 1)  # an encrypting server
    s3_proxy.script = [Rule(other_etag, method="HEAD"), Rule(Corrupt(body=True), method="GET")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert (s3_proxy.count("PUT"), s3_proxy.count("GET")) == (3, 2)  # real damage: sent again


def test_f53_damage_noticed_by_the_server_is_uploaded_again(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(Fail(400, "BadDigest"), method="PUT")]
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 2


def test_f53_damage_without_end_is_reported_after_three_uploads(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(Corrupt({"Content-Length": "3"}), times=None, method="HEAD")]
    with pytest.raises(ObjectDamaged, match=key):
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    assert s3_proxy.count("PUT") == 3


def test_a_document_damaged_or_cut_on_the_way_is_read_again(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    store.put_bytes(Bucket.VIDEOS, key, b"film" * 100, content_type=TEXT)
    s3_proxy.script = [
        Rule(Corrupt(body=True), method="GET"),
        Rule(CutReply(), method="GET"),
    ]
    assert store.get_bytes(Bucket.VIDEOS, key, 1000) == b"film" * 100
    assert s3_proxy.count("GET") == 3
    s3_proxy.script = [Rule(Corrupt(body=True), times=None, method="GET")]
    with pytest.raises(ObjectDamaged, match=key):
        store.get_bytes(Bucket.VIDEOS, key, 1000)


def test_a_stream_that_breaks_off_says_so_to_its_reader(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    store.put_bytes(Bucket.VIDEOS, key, b"x" * MIB, content_type=TEXT)
    s3_proxy.script = [Rule(CutReply(), method="GET")]
    with store.open(Bucket.VIDEOS, key) as opened, pytest.raises(StoreUnreachable):
        b"".join(opened)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "QuotaExceeded"),
        (507, "InsufficientStorage"),
        (507, "XMinioStorageFull"),
        (400, "EntityTooLarge"),
    ],
)
def test_f54_a_used_up_quota_is_storage_full_at_once(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str, status: int, code: str
) -> None:
    s3_proxy.script = [Rule(Fail(status, code), times=None, method="PUT")]
    with pytest.raises(StorageFull, match=code):
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)


def test_f54_a_real_quota_is_storage_full_and_leaves_no_open_upload(
    open_s3: OpenS3, ceph_rgw: CephRgw, s3_settings: StoreSettings, key: str, long_file: Path
) -> None:
    poor = ceph_rgw.add_account(f"poor-{key[-8:]}", max_bytes=4 * MIB)
    names = {f"{bucket}_bucket": f"poor-{bucket}-{key[-8:]}" for bucket in Bucket}
    store = open_s3(
        s3_settings.model_copy(
            update={"access_key": poor.access_key, "secret_key": poor.secret_key, **names}
        )
    )
    store.ensure_buckets()
    store.put_bytes(Bucket.VIDEOS, key, b"fits", content_type=TEXT)
    with pytest.raises(StorageFull, match="QuotaExceeded"):
        store.put_file(Bucket.VIDEOS, f"{key}-long", long_file, content_type="video/mp4")
    assert store.head(Bucket.VIDEOS, f"{key}-long") is None
    assert _open_uploads(store, key) == []
    assert store.get_bytes(Bucket.VIDEOS, key, 10) == b"fits"


def test_an_answer_nobody_foresaw_is_broken_and_says_which(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    s3_proxy.script = [Rule(Fail(400, "InvalidRequest"), method="PUT")]
    with pytest.raises(Broken, match="InvalidRequest"):
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)


def test_a_server_that_ignores_ranges_is_named(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    s3_proxy.script = [Rule(Corrupt({"Content-Range": None}), method="GET")]
    with pytest.raises(StoreUnreachable, match="Range"):
        store.open(Bucket.VIDEOS, key, ByteRange(1, 2))
