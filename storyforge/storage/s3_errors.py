"""What the errors of an S3 server mean in our taxonomy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from storyforge.errors import (
    Broken,
    NotFound,
    StorageDenied,
    StorageFull,
    StoreUnreachable,
    StoryForgeError,
)

# Codes before statuses: Ceph answers 403 to a used-up quota, and 404 to a missing bucket.
_FULL_CODES = frozenset(
    {
        "QuotaExceeded",  # Ceph
        "XMinioStorageFull",
        "XMinioAdminBucketQuotaExceeded",
        "InsufficientStorage",
        "InsufficientCapacity",
        "EntityTooLarge",
        "TooManyParts",
    }
)
_PASSING_CODES = frozenset(
    {
        "SlowDown",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "ServiceUnavailable",
        "InternalError",
        "OperationAborted",
        "BadDigest",  # changed on the way: the same bytes may pass the next time
        "XAmzContentSHA256Mismatch",
        "IncompleteBody",
    }
)
_ABSENT_CODES = frozenset({"NoSuchKey", "NotFound", "404"})
_INSUFFICIENT_STORAGE_STATUS = 507
_PASSING_STATUSES = frozenset({408, 429, *range(500, 600)})
_DEFAULT_RETRY_S = 5.0
_MAX_RETRY_S = 300.0  # what a server asks for beyond this is not believed


@contextlib.contextmanager
def s3_errors(action: str) -> Iterator[None]:
    """Turn boto3's errors of the body into the taxonomy; `action` reads "store object a/b".

    The details name neither host, credential nor signature.
    """
    try:
        yield
    except ClientError as exc:
        raise _answered(action, exc) from exc
    except (BotoCoreError, ConnectionError, TimeoutError) as exc:
        raise StoreUnreachable(
            f"The object store did not answer the attempt to {action} ({type(exc).__name__}); "
            "check that it runs and that STORYFORGE_STORE_ENDPOINT_URL is right.",
            _DEFAULT_RETRY_S,
        ) from exc


def error_code(exc: ClientError) -> str:
    """The server's code, e.g. NoSuchKey; for an answer without a body its status."""
    return str(exc.response.get("Error", {}).get("Code", ""))


def is_absent(exc: ClientError) -> bool:
    """True when the server says that there is no such object."""
    return error_code(exc) in _ABSENT_CODES


def _answered(action: str, exc: ClientError) -> StoryForgeError:
    code = error_code(exc)
    metadata: Any = exc.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    said = f"({code or 'no code'}, HTTP {status})"
    if code in _FULL_CODES or status == _INSUFFICIENT_STORAGE_STATUS:
        return StorageFull(
            f"The object store has no room to {action} {said}; raise its quota or remove old "
            "exports, then retry the job."
        )
    if code == "RequestTimeTooSkewed":
        return StorageDenied(
            f"The object store refused to {action}: its clock and this host's differ too much "
            f"{said}. Set both by NTP."
        )
    if code == "NoSuchBucket" or code in _PASSING_CODES or status in _PASSING_STATUSES:
        what_next = "make the bucket" if code == "NoSuchBucket" else "it will be tried again"
        return StoreUnreachable(
            f"The object store could not {action} just now {said}; {what_next}.",
            _retry_after_s(metadata),
        )
    if is_absent(exc):
        return NotFound(f"The object store has nothing to {action} {said}.")
    if status in {401, 403}:
        return StorageDenied(
            f"The object store refused to {action} {said}; check STORYFORGE_STORE_ACCESS_KEY and "
            "_SECRET_KEY and what they may do."
        )
    return Broken(
        f"The object store could not {action} {said}; `storyforge doctor` says what it lacks."
    )


def _retry_after_s(metadata: dict[str, Any]) -> float:
    asked = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    return min(float(asked), _MAX_RETRY_S) if asked.isdigit() else _DEFAULT_RETRY_S
