"""Puts an encoded segment into the object store, in publishing order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from pipelines.stage_log import ResultsGone, StageLog, run_once
from storyforge.domain.job import Stage
from storyforge.domain.segment import EncodedSegment, MediaFile
from storyforge.domain.wire import Wire
from storyforge.errors import NotFound
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import IMMUTABLE_CACHE, Bucket, ObjectStore

STAGE = Stage.PUBLISH_SEGMENT
_PLAYLIST = ".m3u8"
_PARALLEL_PUTS = 4  # against a real S3 server 8 threads were 3x faster than one (decision 0011)


class PublishedSegment(Wire):
    """Where the segment lies; nothing shows it before the job is finalised."""

    prefix: str
    files: int


def publish_segment(
    scene_id: UUID,
    segment_id: UUID,
    media: EncodedSegment,
    folder: Path,
    store: ObjectStore,
    log: StageLog,
) -> PublishedSegment:
    """Parts and stills first, then the rungs' playlists, then the master; each one verified.

    Raises StoreUnreachable, StorageDenied, StorageFull, and ResultsGone when a local file is
    not there any more.
    """
    prefix = segment_prefix(scene_id, segment_id)

    def put(file: MediaFile) -> None:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise ResultsGone(Stage.ENCODE_HLS, f"{file.path} is not on this host any more.")
        store.put_file(
            Bucket.VIDEOS,
            prefix + file.path,
            path,
            content_type=file.content_type,
            sha256=file.sha256,
            cache_control=IMMUTABLE_CACHE,
        )

    def work() -> PublishedSegment:
        log.step(STAGE, 0.0, "Publishing.")
        for done, _ in enumerate(_in_order(media.files, put), start=1):
            total = len(media.files)
            log.step(STAGE, done / total, f"Published {done} of {total} files.")
        return PublishedSegment(prefix=prefix, files=len(media.files))

    def stored(_result: PublishedSegment) -> bool:
        return all(_is_stored(store, prefix + file.path, file.bytes) for file in media.files)

    inputs = [prefix, [file.to_json() for file in media.files]]
    return run_once(log, STAGE, inputs, PublishedSegment, work, verify=stored)


def _in_order(files: Sequence[MediaFile], put: Callable[[MediaFile], None]) -> Iterator[None]:
    """Parts and stills side by side; then, all of them stored, the playlists one by one."""
    playlists = [file for file in files if file.path.endswith(_PLAYLIST)]
    others = [file for file in files if not file.path.endswith(_PLAYLIST)]
    pool = ThreadPoolExecutor(_PARALLEL_PUTS, thread_name_prefix="publish")
    try:
        yield from pool.map(put, others)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    for file in playlists:
        put(file)
        yield


def _is_stored(store: ObjectStore, key: str, size_bytes: int) -> bool:
    try:
        held = store.head(Bucket.VIDEOS, key)
    except NotFound:
        return False
    return held is not None and held.size_bytes == size_bytes
