"""Setting up the S3 store: settings, buckets, and what the start-up probe says."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storyforge.errors import SetupProblem, StorageDenied, StoreUnreachable
from storyforge.settings import Settings, StoreSettings
from storyforge.storage import Bucket, open_store
from storyforge.storage.s3 import S3Store
from tests.servers.ceph_rgw import CephRgw
from tests.servers.faulty_s3_proxy import Corrupt, Fail, FaultyS3Proxy, Rule
from tests.servers.fixtures import OpenS3

pytestmark = pytest.mark.s3
TEXT = "text/plain"


@pytest.fixture
def store(proxied_s3_settings: StoreSettings) -> Iterator[S3Store]:
    """A store behind the failing proxy."""
    with contextlib.closing(S3Store(proxied_s3_settings)) as store:
        yield store


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"setup/{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]}"


def test_a_missing_bucket_is_named_and_made_on_request(
    open_s3: OpenS3, s3_settings: StoreSettings, key: str
) -> None:
    names = {f"{bucket}_bucket": f"new-{bucket}-{key[-8:]}" for bucket in Bucket}
    store = open_s3(s3_settings.model_copy(update=names))
    with pytest.raises(StoreUnreachable, match="make the bucket"):
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    store.ensure_buckets()
    store.ensure_buckets()
    store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)


def test_listings_longer_than_a_page_are_followed(
    store: S3Store, s3_proxy: FaultyS3Proxy, key: str
) -> None:
    def ask_for_two(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 2

    store._client.meta.events.register("provide-client-params.s3.ListObjectsV2", ask_for_two)
    keys = [f"{key}/{number}" for number in range(5)]
    for one in keys:
        store.put_bytes(Bucket.VIDEOS, one, b"x", content_type=TEXT)
    assert [listed.key for listed in store.list(Bucket.VIDEOS, key)] == keys
    assert s3_proxy.count("GET", "list-type") == 3


def test_the_probe_names_what_a_server_lacks(store: S3Store, s3_proxy: FaultyS3Proxy) -> None:
    s3_proxy.script = [
        Rule(Fail(501, "NotImplemented"), times=None, method="POST", query=frozenset({"uploads"}))
    ]
    failed = [check for check in store.probe().checks if not check.passed]
    assert [check.name for check in failed] == ["multipart upload"]
    assert "NotImplemented" in failed[0].detail
    assert failed[0].cure


def test_the_probe_sees_a_clock_that_is_off(store: S3Store, s3_proxy: FaultyS3Proxy) -> None:
    date = Corrupt({"Date": "Wed, 21 Oct 2015 07:28:00 GMT"})
    s3_proxy.script = [Rule(date, times=None, path="/", method="GET")]
    failed = [check for check in store.probe().checks if not check.passed]
    assert "clock" in failed[0].detail
    assert "NTP" in failed[0].cure


def test_the_probe_sees_addresses_that_never_expire(
    store: S3Store, s3_proxy: FaultyS3Proxy
) -> None:
    s3_proxy.script = [
        Rule(Fail(200, "OK"), times=None, method="GET", query=frozenset({"X-Amz-Signature"}))
    ]
    failed = {check.name for check in store.probe().checks if not check.passed}
    assert failed == {"presigned address", "presigned expiry"}


def test_players_get_the_public_address(open_s3: OpenS3, s3_settings: StoreSettings) -> None:
    public = {"public_endpoint_url": "https://media.example:9000"}
    store = open_s3(s3_settings.model_copy(update=public))
    url = store.presigned_get(Bucket.EXPORTS, "exports/a.mp4", 60)
    assert url.startswith("https://media.example:9000/storyforge-exports/exports/a.mp4?")


def test_settings_without_credentials_or_with_a_bad_address_say_what_to_set() -> None:
    with pytest.raises(SetupProblem, match="STORYFORGE_STORE_ACCESS_KEY"):
        S3Store(StoreSettings(endpoint_url="http://127.0.0.1:9000"))
    with pytest.raises(SetupProblem, match="STORYFORGE_STORE_ENDPOINT_URL"):
        S3Store(StoreSettings(endpoint_url="nonsense", access_key="a", secret_key="b"))


def test_settings_choose_the_store_and_files_need_no_boto3(
    tmp_path: Path, s3_settings: StoreSettings
) -> None:
    node = {"data_dir": tmp_path}
    assert isinstance(open_store(Settings(node=node, store=s3_settings)), S3Store)
    program = (
        "import sys; from pathlib import Path\n"
        "from storyforge.settings import Settings\n"
        "from storyforge.storage import open_store\n"
        f"open_store(Settings(node={{'data_dir': Path({str(tmp_path)!r})}}))\n"
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path.cwd())


def test_f48_real_wrong_credentials_are_denied(
    open_s3: OpenS3, s3_settings: StoreSettings, key: str
) -> None:
    for wrong in ({"secret_key": "wrong"}, {"access_key": "nobody"}):
        store = open_s3(s3_settings.model_copy(update=wrong))
        with pytest.raises(StorageDenied):
            store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
        report = store.probe()
        assert [check.name for check in report.checks] == ["reach, credentials and clock"]
        with pytest.raises(SetupProblem, match="access key"):
            report.require()


def test_f48_another_account_may_not_touch_our_buckets(
    open_s3: OpenS3, ceph_rgw: CephRgw, s3_settings: StoreSettings, key: str
) -> None:
    other = ceph_rgw.add_account(f"other-{key[-8:]}")
    store = open_s3(
        s3_settings.model_copy(
            update={"access_key": other.access_key, "secret_key": other.secret_key}
        )
    )
    with pytest.raises(StorageDenied):
        store.put_bytes(Bucket.VIDEOS, key, b"film", content_type=TEXT)
    report = store.probe()
    assert not report.passed
    assert report.checks[-1].cure


def test_a_server_that_is_down_is_unreachable(
    open_s3: OpenS3, s3_settings: StoreSettings, key: str
) -> None:
    down = {"endpoint_url": "http://127.0.0.1:1", "attempts": 2}
    store = open_s3(s3_settings.model_copy(update=down))
    with pytest.raises(StoreUnreachable):
        store.head(Bucket.VIDEOS, key)
    report = store.probe()
    assert not report.passed
    assert len(report.checks) == 1
