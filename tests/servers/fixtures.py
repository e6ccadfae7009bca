"""Fixtures of real servers: started once per run, when the first test asks, and stopped after."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storyforge.settings import StoreSettings
from tests.servers import ceph_rgw as ceph
from tests.servers.faulty_s3_proxy import FaultyS3Proxy

if TYPE_CHECKING:
    from storyforge.storage.s3 import S3Store

OpenS3 = Callable[[StoreSettings], "S3Store"]


@pytest.fixture(scope="session")
def ceph_rgw() -> Iterator[ceph.CephRgw]:
    """A real S3 server; skipped where it is not installed, except in CI, where it must be."""
    missing = ceph.missing_programs()
    if missing:
        message = f"the real S3 server needs {', '.join(missing)}: {ceph.INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # Not pytest's own directory: Unix socket paths have 108 bytes at most.
    root = Path(tempfile.mkdtemp(prefix="rgw-"))
    try:
        with ceph.running(root / "cluster") as server:
            yield server
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def s3_settings(ceph_rgw: ceph.CephRgw) -> StoreSettings:
    """Settings of an account on the real server, with the four buckets made."""
    account = ceph_rgw.add_account("storyforge")
    settings = StoreSettings(
        endpoint_url=ceph_rgw.endpoint_url,
        access_key=account.access_key,
        secret_key=account.secret_key,
        part_mb=5,
    )
    with contextlib.closing(_store(settings)) as store:
        store.ensure_buckets()
    return settings


@pytest.fixture
def open_s3() -> Iterator[OpenS3]:
    """Opens stores that are closed after the test."""
    with contextlib.ExitStack() as opened:
        yield lambda settings: opened.enter_context(contextlib.closing(_store(settings)))


@pytest.fixture
def s3_proxy(ceph_rgw: ceph.CephRgw) -> Iterator[FaultyS3Proxy]:
    """A proxy before the real server that fails as its `script` says."""
    with FaultyS3Proxy(ceph_rgw.port) as proxy:
        yield proxy


@pytest.fixture
def proxied_s3_settings(s3_settings: StoreSettings, s3_proxy: FaultyS3Proxy) -> StoreSettings:
    """Settings that lead through the proxy, with short timeouts."""
    return s3_settings.model_copy(
        update={
            "endpoint_url": s3_proxy.endpoint_url,
            "connect_timeout_s": 2.0,
            "read_timeout_s": 2.0,
        }
    )


def _store(settings: StoreSettings) -> S3Store:
    from storyforge.storage.s3 import S3Store  # noqa: PLC0415  boto3: not in every test run

    return S3Store(settings)
