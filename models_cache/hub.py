"""The model hub, through its own client: listings of one commit, and files that resume."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, errors, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils._headers import build_hf_headers

from models_cache.names import COMMIT
from storyforge.errors import (
    Forbidden,
    ModelRefused,
    NotFound,
    SetupProblem,
    StoryForgeError,
    Unavailable,
)

_TIMEOUT_S = 20.0
_FILES_MAX = 5_000
_DENIED = (401, 403)


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it. sha256: of large files; git_sha1: of small ones; else empty."""

    path: str
    size_bytes: int
    sha256: str
    git_sha1: str


@dataclass(frozen=True)
class Listing:
    """All files of a repository at one commit."""

    repo: str
    commit: str
    files: tuple[HubFile, ...]


class Hub:
    """One hub, by default the client's own.

    url: of a mirror or a test server; https, or http on this host. token: for gated models; it is
    sent to that hub only. Without one, the token that the client was logged in with is sent to the
    client's own hub, and none to a mirror.
    """

    def __init__(self, url: str = "", token: str = "") -> None:
        _require_private_or_encrypted(url)
        self._endpoint = url.rstrip("/") or None
        self._token: str | bool | None = token or (False if url else None)
        # The client would else tell the hub which libraries and which program run here.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        # Its warnings about retries would break our progress lines.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

    def listing(self, repo: str, revision: str) -> Listing:
        """The files of a repository. revision: a commit, or a branch to resolve.

        Raises NotFound, Forbidden (gated), Unavailable, and ModelRefused for an odd answer.
        """
        try:
            info = HfApi(endpoint=self._endpoint, token=self._token).model_info(
                repo, revision=revision, files_metadata=True, timeout=_TIMEOUT_S
            )
            files = tuple(_file(one) for one in info.siblings or ())
        except (httpx2.HTTPError, OSError) as exc:
            raise _in_our_words(exc, repo) from exc
        except (KeyError, TypeError, ValueError) as exc:
            raise ModelRefused(f"The hub's answer about {repo} cannot be understood.") from exc
        commit = info.sha or ""
        asked_for_another = COMMIT.fullmatch(revision) is not None and commit != revision
        if COMMIT.fullmatch(commit) is None or asked_for_another or len(files) > _FILES_MAX:
            raise ModelRefused(
                f"The hub answered with another commit of {repo} than {revision[:12]}, or with a "
                "listing that cannot be right; nothing was pulled."
            )
        return Listing(repo=repo, commit=commit, files=files)

    def fetch(
        self,
        listing: Listing,
        file: HubFile,
        into: BinaryIO,
        have_bytes: int,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Append a file's bytes from `have_bytes` on; the client itself survives short breaks.

        on_bytes: hears how many bytes came (negative when they have to come again). Raises as
        `listing` does, and OSError as it comes when the disk refuses.
        """
        url = hf_hub_url(listing.repo, file.path, revision=listing.commit, endpoint=self._endpoint)
        try:
            http_get(
                url,
                into,
                resume_size=have_bytes,
                headers=build_hf_headers(token=self._token),
                expected_size=file.size_bytes,
                tqdm_class=_bar(on_bytes),
            )
        except (httpx2.HTTPError, OSError) as exc:
            if _is_local(exc):
                raise
            raise _in_our_words(exc, listing.repo) from exc


def _bar(on_bytes: Callable[[int], None]) -> Any:
    """A class that the client takes for a progress bar."""

    class Bar:
        def __init__(self, **_options: Any) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_error: object) -> None:
            pass

        def update(self, count: int = 1) -> None:
            on_bytes(count)

    return Bar


def _file(sibling: RepoSibling) -> HubFile:
    lfs = sibling.lfs
    size_bytes = lfs.size if lfs is not None else sibling.size
    if not isinstance(size_bytes, int) or size_bytes < 0:
        raise ValueError("a file without a size")
    return HubFile(
        path=str(sibling.rfilename),
        size_bytes=size_bytes,
        sha256=str(lfs.sha256) if lfs is not None else "",
        git_sha1=str(sibling.blob_id or "") if lfs is None else "",
    )


def _is_local(exc: Exception) -> bool:
    """Whether this host's disk raised it, and not the network."""
    return (
        isinstance(exc, OSError)
        and exc.errno is not None
        and not isinstance(exc, ConnectionError | TimeoutError | httpx2.HTTPError)
    )


def _in_our_words(exc: Exception, repo: str) -> StoryForgeError:
    """Our error for whatever the client raised; no token and no address in it."""
    for kind, ours, words in _WORDS:
        if isinstance(exc, kind):
            return ours(words.format(repo=repo))
    if isinstance(exc, errors.HfHubHTTPError):
        status = exc.response.status_code
        if status in _DENIED:
            return Forbidden(f"The hub refuses {repo} (HTTP {status}); check the access token.")
        return Unavailable(f"The hub failed on {repo} (HTTP {status}); pull again to go on.")
    return Unavailable(
        f"The connection to the hub broke off ({type(exc).__name__}); what came is kept, pull "
        "again to go on."
    )


# The special before the general: a gated repository is also one that is not found.
_WORDS: tuple[tuple[type[Exception], type[StoryForgeError], str], ...] = (
    (
        errors.GatedRepoError,
        Forbidden,
        "{repo} is gated: accept its licence on its page, and set STORYFORGE_MODELS_TOKEN.",
    ),
    (errors.RevisionNotFoundError, NotFound, "The hub does not have this commit of {repo}."),
    (errors.EntryNotFoundError, NotFound, "The hub no longer has a file of {repo}."),
    (errors.RepositoryNotFoundError, NotFound, "The hub has no {repo}, or it is private."),
    (errors.OfflineModeIsEnabled, SetupProblem, "HF_HUB_OFFLINE is set: unset it to pull {repo}."),
)


def _require_private_or_encrypted(url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_host(parts.hostname or "")):
        return
    raise SetupProblem(
        "STORYFORGE_MODELS_HUB_URL must be https, or http on this host: what a pull brings is "
        "only as trustworthy as the listing that it is checked against."
    )


def _is_this_host(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
