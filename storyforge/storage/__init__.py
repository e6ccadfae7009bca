"""Where the node keeps its files: a local directory by default, any S3 server by settings."""

from __future__ import annotations

from storyforge.settings import Settings
from storyforge.storage.filesystem import FilesystemStore
from storyforge.storage.ranges import ByteRange, parse_range
from storyforge.storage.store import (
    IMMUTABLE_CACHE,
    Bucket,
    ListedObject,
    ObjectStore,
    OpenObject,
    ProbeCheck,
    ProbeReport,
    StoredObject,
)
from storyforge.storage.tokens import TokenSigner, load_or_make_secret

__all__ = [
    "IMMUTABLE_CACHE",
    "Bucket",
    "ByteRange",
    "ListedObject",
    "ObjectStore",
    "OpenObject",
    "ProbeCheck",
    "ProbeReport",
    "StoredObject",
    "TokenSigner",
    "open_signer",
    "open_store",
    "parse_range",
]


def open_signer(settings: Settings) -> TokenSigner:
    """The signer of this node's media addresses; its secret lies in the data directory."""
    return TokenSigner(load_or_make_secret(settings.node.data_dir / "media.secret"))


def open_store(settings: Settings) -> ObjectStore:
    """The object store that the settings name.

    Raises `SetupProblem` when they are incomplete. Does not talk to a server: see `probe`.
    """
    if settings.store.endpoint_url:
        from storyforge.storage.s3 import S3Store  # noqa: PLC0415  boto3 takes half a second

        return S3Store(settings.store)
    return FilesystemStore(settings.node.data_dir / "objects", open_signer(settings))
