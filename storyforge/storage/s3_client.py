"""The boto3 client of the object store, as the settings ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from storyforge.errors import SetupProblem
from storyforge.settings import StoreSettings
from storyforge.storage.store import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONNECTIONS = 32  # more than any worker has publishing threads


def bucket_names(settings: StoreSettings) -> Mapping[Bucket, str]:
    """The real name of each bucket."""
    return {
        Bucket.VIDEOS: settings.videos_bucket,
        Bucket.ASSETS: settings.assets_bucket,
        Bucket.EXPORTS: settings.exports_bucket,
        Bucket.INTERNAL: settings.internal_bucket,
    }


def make_client(settings: StoreSettings, endpoint_url: str) -> S3Client:
    """A boto3 client with bounded tries and timeouts; connects on first use."""
    if not settings.access_key or not settings.secret_key:
        raise SetupProblem(
            "The object store needs credentials: set STORYFORGE_STORE_ACCESS_KEY and "
            "STORYFORGE_STORE_SECRET_KEY, or leave STORYFORGE_STORE_ENDPOINT_URL empty to keep "
            "files in the data directory."
        )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},  # no wildcard DNS needed
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        proxies={},  # the endpoint is reached directly, whatever proxy this host has
        # We send Content-MD5 and read back instead: not every server takes the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            region_name=settings.region,
        )
        return session.client("s3", endpoint_url=endpoint_url, config=config)
    except (BotoCoreError, ValueError) as exc:
        raise SetupProblem(
            "The object store's settings are not usable "
            f"({type(exc).__name__}); STORYFORGE_STORE_ENDPOINT_URL must read like "
            "http://host:9000, and STORYFORGE_STORE_REGION must be a region's name."
        ) from exc
