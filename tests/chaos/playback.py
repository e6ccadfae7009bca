"""The oracle's rule O4: every playlist that a reader can get leads to whole, playable files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import av
from sqlalchemy import Row

from storyforge.domain.segment import EncodedSegment, HlsProfile, MediaFile, RungMedia
from storyforge.errors import StoryForgeError
from storyforge.playlists import scene_rung_playlist
from storyforge.storage.paths import segment_prefix
from storyforge.storage.store import Bucket, ObjectStore
from tests.chaos.evidence import Evidence
from tests.chaos.oracle import Violation

_LIMIT_BYTES = 64 << 20


def playlists_play(evidence: Evidence, store: ObjectStore) -> Iterator[Violation]:
    """Check every visible segment of every scene that is not deleted, and the scenes' playlists."""
    for scene_id, scene in evidence.scenes.items():
        if scene.deleted_at is not None:
            continue
        rows = evidence.visible(scene_id)
        for row in rows:
            yield from segment_plays(row, store)
        if rows:
            yield from _scene_playlists(scene_id, HlsProfile.model_validate(scene.profile), rows)


def segment_plays(row: Row[*tuple[Any, ...]], store: ObjectStore) -> Iterator[Violation]:
    """One committed segment: every file as recorded, every playlist finished, every part decodes."""
    media = EncodedSegment.model_validate(row.media)
    prefix = segment_prefix(row.scene_id, row.id)
    recorded = {file.path: file for file in media.files}
    contents: dict[str, bytes] = {}
    for file in media.files:
        problem = _fetch(store, prefix + file.path, file, contents)
        if problem:
            yield Violation("O4", f"segment {row.id} lists {file.path}: {problem}")
    for rung in media.rungs:
        frames = 0
        for part in rung.parts:
            if part.uri not in recorded:
                yield Violation("O4", f"segment {row.id} plays {part.uri}, which is not recorded")
            elif part.uri in contents:
                frames += _frames(contents[part.uri])
        if frames != media.frames:
            yield Violation(
                "O4",
                f"segment {row.id} gives {frames} frames as {rung.rung.name}, not {media.frames}",
            )
    for path, content in contents.items():
        if path.endswith(".m3u8"):
            text = content.decode()
            yield from _playlist(f"{path} of segment {row.id}", text, recorded, media.profile)


def _fetch(store: ObjectStore, key: str, file: MediaFile, contents: dict[str, bytes]) -> str | None:
    try:
        data = store.get_bytes(Bucket.VIDEOS, key, _LIMIT_BYTES)
    except StoryForgeError as exc:
        return f"the store says {exc.code}"
    if len(data) != file.bytes:
        return f"it has {len(data)} bytes, not {file.bytes}"
    if hashlib.sha256(data).hexdigest() != file.sha256:
        return "its content is not what was recorded"
    contents[file.path] = data
    return None


def _frames(data: bytes) -> int:
    """How many video frames a part decodes to; 0 when it is broken."""
    try:
        with av.open(io.BytesIO(data), "r", format="mpegts") as container:
            return len(list(container.decode(video=0)))
    except (av.FFmpegError, IndexError):
        return 0


def _playlist(
    name: str, text: str, recorded: dict[str, MediaFile], profile: HlsProfile
) -> Iterator[Violation]:
    is_media = "#EXTINF" in text
    if is_media and "#EXT-X-ENDLIST" not in text:
        yield Violation("O4", f"{name} is not finished")
    for line in text.splitlines():
        if line and not line.startswith("#") and line not in recorded:
            yield Violation("O4", f"{name} names {line}, which is not recorded")
        if line.startswith("#EXTINF:"):
            seconds = float(line.removeprefix("#EXTINF:").rstrip(","))
            # RFC 8216, 4.3.3.1: rounded to the nearest whole second, at most the target
            if round(seconds) > profile.target_duration:
                yield Violation("O4", f"{name} has a part of {seconds} s over its target duration")


def _scene_playlists(
    scene_id: UUID, profile: HlsProfile, rows: list[Row[Any]] | Any
) -> Iterator[Violation]:
    for place, rung in enumerate(profile.rungs):
        entries: list[tuple[UUID, RungMedia]] = []
        recorded: dict[str, MediaFile] = {}
        for row in rows:
            media = EncodedSegment.model_validate(row.media)
            if [one.rung for one in media.rungs] != list(profile.rungs):
                yield Violation("O4", f"segment {row.id} has other rungs than its scene")
                continue
            entries.append((row.id, media.rungs[place]))
            recorded |= {f"{row.id}/{file.path}": file for file in media.files}
        text = scene_rung_playlist(entries, profile, ended=True, prefix=lambda one: f"{one}/")
        yield from _playlist(
            f"the {rung.name} playlist of scene {scene_id}", text, recorded, profile
        )
