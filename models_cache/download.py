"""Brings the files of a listing into a folder: several at once, each resumed and checked."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol

from models_cache.checksums import git_blob_sha1, is_safetensors, sha256_of
from models_cache.hub import HubFile, Listing
from models_cache.locks import is_full, write_problem
from models_cache.manifest import ManifestFile
from models_cache.progress import Progress
from models_cache.sizes import in_words
from storyforge.errors import DiskFull, ModelRefused, Unavailable, WeightsDamaged

_PART = ".part"
_THREADS = 4  # files at once; more does not help one line and one disk
_ROUNDS_WITHOUT_BYTES = 2  # after the client's own five retries


class Source(Protocol):
    """Where files come from; the hub is the one."""

    def fetch(
        self,
        listing: Listing,
        file: HubFile,
        into: BinaryIO,
        have_bytes: int,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Append the file's bytes from `have_bytes` on."""
        ...


class _Stopped(Exception):
    """Another file of the same pull failed, or the caller gave up."""


class Download:
    """One pull's downloads into its own folder; a later one in the same folder goes on."""

    def __init__(self, source: Source, listing: Listing, folder: Path, progress: Progress) -> None:
        self._source = source
        self._listing = listing
        self._folder = folder
        self._progress = progress
        self._stop = threading.Event()

    def missing_bytes(self, files: Sequence[HubFile]) -> int:
        """What still has to come."""
        return sum(file.size_bytes - self._have_bytes(file) for file in files)

    def run(self, files: Sequence[HubFile]) -> list[ManifestFile]:
        """Bring and check all files; gives their records in the same order.

        Raises DiskFull saying how much is missing, Unavailable when the hub broke off (what came
        stays), WeightsDamaged and ModelRefused naming the file.
        """
        total = sum(file.size_bytes for file in files)
        self._progress.begin("download", total, total - self.missing_bytes(files))
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="pull") as pool:
            waiting = [pool.submit(self._one, file) for file in files]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                self._stop.set()
                for one in waiting:
                    one.cancel()
                failed = [one.exception() for one in waiting if not one.cancelled()]
                first = next((e for e in failed if e and not isinstance(e, _Stopped)), None)
                if isinstance(first, OSError):
                    raise self._disk_problem(first, files) from first
                if first is not None:
                    raise first from None
                raise

    def _one(self, file: HubFile) -> ManifestFile:
        target = self._folder / file.path
        part = target.with_name(target.name + _PART)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and not _is_as_listed(target, file):
            target.unlink()  # shared with a model that is damaged, or an older crash: anew
            self._progress.advance(-file.size_bytes)
        if not target.is_file():
            resumed = self._fill(file, part)
            if resumed and not _is_as_listed(part, file):
                # The older piece was damaged, or of something else: once more from the start.
                self._progress.advance(-file.size_bytes)
                part.unlink()
                self._fill(file, part)
            self._judge(file, part)
            part.replace(target)
        return ManifestFile(
            path=file.path, size_bytes=file.size_bytes, sha256=file.sha256 or sha256_of(target)
        )

    def _judge(self, file: HubFile, part: Path) -> None:
        """Let only what the hub lists pass, and weights only as safetensors."""
        if not _is_as_listed(part, file):
            part.unlink()
            raise WeightsDamaged(
                f"'{file.path}' of {self._listing.repo} came damaged: its checksum is not the one "
                "that the hub lists. It was thrown away; pull again."
            )
        if file.path.endswith(".safetensors") and not is_safetensors(part):
            part.unlink()
            raise ModelRefused(
                f"'{file.path}' of {self._listing.repo} is no safetensors file; refused."
            )

    def _fill(self, file: HubFile, part: Path) -> bool:
        """Bring the rest of a file; gives whether an older piece of it was used."""
        had = self._have_bytes(file)
        rounds = 0
        with part.open("ab") as into:
            if had == 0:
                into.truncate(0)
            while True:
                before = _size(part)
                try:
                    self._source.fetch(self._listing, file, into, before, self._heard(part, file))
                    break
                except Unavailable:
                    into.flush()
                    rounds = 0 if _size(part) > before else rounds + 1
                    if rounds >= _ROUNDS_WITHOUT_BYTES:
                        raise
            into.flush()
            os.fsync(into.fileno())
        return had > 0

    def _heard(self, part: Path, file: HubFile) -> Callable[[int], None]:
        got = _size(part)

        def heard(count: int) -> None:
            nonlocal got
            got += count
            if self._stop.is_set():
                raise _Stopped
            if got > file.size_bytes:
                raise ModelRefused(f"'{file.path}' is longer than the hub's listing says; refused.")
            self._progress.advance(count)

        return heard

    def _have_bytes(self, file: HubFile) -> int:
        """Bytes of the file that are here; a piece that is too long counts for nothing."""
        target = self._folder / file.path
        whole, part = _size(target), _size(target.with_name(target.name + _PART))
        have = max(whole, part)
        return have if have <= file.size_bytes else 0

    def _disk_problem(self, exc: OSError, files: Sequence[HubFile]) -> Exception:
        if not is_full(exc):
            return write_problem(exc)
        free_bytes = shutil.disk_usage(self._folder).free
        return disk_full(self.missing_bytes(files) - free_bytes, self._listing.repo)


def disk_full(missing_bytes: int, what: str) -> DiskFull:
    """The error that says how much room is missing."""
    missing = in_words(max(missing_bytes, 1))
    return DiskFull(
        f"The disk of the model store has no room for {what}: {missing} more are needed. Free some "
        "space, remove a model (storyforge models du), or move STORYFORGE_MODELS_ROOT."
    )


def _is_as_listed(path: Path, file: HubFile) -> bool:
    if _size(path) != file.size_bytes:
        return False
    if file.sha256:
        return sha256_of(path) == file.sha256
    return git_blob_sha1(path) == file.git_sha1


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
