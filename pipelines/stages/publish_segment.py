"""Puts an encoded segment into the object store, in publishing order."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pipelines.stage_log import ResultsGone, StageLog, run_once
from storyforge.domain.job import Stage
from storyforge.domain.segment import EncodedSegment
from storyforge.domain.wire import Wire
from storyforge.errors import NotFound
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import IMMUTABLE_CACHE, Bucket, ObjectStore

STAGE = Stage.PUBLISH_SEGMENT


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
    total = len(media.files)

    def work() -> PublishedSegment:
        log.step(STAGE, 0.0, "Publishing.")
        for done, file in enumerate(media.files):
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
            log.step(STAGE, (done + 1) / total, f"Published {done + 1} of {total} files.")
        return PublishedSegment(prefix=prefix, files=total)

    def stored(_result: PublishedSegment) -> bool:
        return all(_is_stored(store, prefix + file.path, file.bytes) for file in media.files)

    inputs = [prefix, [file.to_json() for file in media.files]]
    return run_once(log, STAGE, inputs, PublishedSegment, work, verify=stored)


def _is_stored(store: ObjectStore, key: str, size_bytes: int) -> bool:
    try:
        held = store.head(Bucket.VIDEOS, key)
    except NotFound:
        return False
    return held is not None and held.size_bytes == size_bytes
