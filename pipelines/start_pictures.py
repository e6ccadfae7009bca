"""Fetches the pictures that a segment's film can start from, verified, and keeps them by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from pipelines.encoding.pictures import Picture
from pipelines.files import SavedFile, describe, is_whole, write_whole
from pipelines.stage_log import StageLog
from storyforge.domain.job import GenerationJobPayload, Stage
from storyforge.domain.wire import Wire
from storyforge.errors import NotFound, ObjectDamaged, RenderFailed, TooLarge
from storyforge.storage.paths import last_frame_key, reference_key, style_frame_key
from storyforge.storage.store import Bucket, ObjectStore

STAGE = Stage.RENDER_SHOTS
ITEM = 2000  # among the results of rendering: shots have the items 1 to 60, takes 1000
_FOLDER = "pictures"
_BYTES_MAX = 64 << 20  # a lossless 4K picture has 25 MB
_PIXELS_MAX = 4096 * 4096  # the largest film there is


class StartPictures(Wire):
    """What there is to start from; paths are relative to the job's folder.

    references: the characters of this film that have an image of their own. notes: what was there
    and could not be used.
    """

    last_frame: SavedFile | None = None
    style_frame: SavedFile | None = None
    references: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def start_pictures(
    payload: GenerationJobPayload,
    characters: Iterable[str],
    store: ObjectStore,
    folder: Path,
    log: StageLog,
) -> StartPictures:
    """Fetch the pictures once per job, and again only when they are not on this host any more.

    So a reference image that is changed meanwhile changes nothing that is rendered. A picture that
    is not there, or damaged, is done without and noted. Raises StoreUnreachable.
    """
    body = log.load(STAGE, ITEM, None)
    if body is not None:
        saved = StartPictures.model_validate(body)
        files = [one for one in (saved.last_frame, saved.style_frame) if one is not None]
        if all(is_whole(folder, one.path, one.bytes, one.sha256) for one in files):
            return saved
    log.step(STAGE, 0.0, "Fetching the pictures to start from.")
    found = _fetched(payload, characters, store, folder)
    log.save(STAGE, ITEM, "", found.to_json())
    return found


def read_picture(path: Path) -> Picture:
    """An RGB picture of a PNG file, its size looked at first. Raises RenderFailed."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.width * image.height > _PIXELS_MAX:
                raise RenderFailed(f"A start picture has {image.width}x{image.height} pixels.")
            return np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as exc:
        raise RenderFailed("A start picture cannot be read.") from exc


def write_picture(path: Path, picture: Picture) -> None:
    """Write an RGB picture as PNG. Raises OSError."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    path.write_bytes(bytes(data))


def _fetched(
    payload: GenerationJobPayload, characters: Iterable[str], store: ObjectStore, folder: Path
) -> StartPictures:
    scene_id, recent = payload.scene_id, payload.context.recent_segments
    known = {one.id for one in payload.context.scene_bible.characters}
    notes: list[str] = []
    last_frame = style_frame = None
    if recent and recent[-1].last_frame_sha256:
        key = last_frame_key(scene_id, recent[-1].segment_id)
        last_frame = _fetch(
            Bucket.VIDEOS, key, "last frame", store, folder, notes, recent[-1].last_frame_sha256
        )
    elif recent:
        notes.append("The segment before has no last frame in the store.")
    if store.head(Bucket.ASSETS, style_frame_key(scene_id)) is not None:
        key = style_frame_key(scene_id)
        style_frame = _fetch(Bucket.ASSETS, key, "style frame", store, folder, notes)
    return StartPictures(
        last_frame=last_frame,
        style_frame=style_frame,
        references=tuple(
            one
            # bare names are nobody of the bible, so they have no picture and often are no key
            for one in sorted(set(characters) & known)
            if store.head(Bucket.ASSETS, reference_key(scene_id, one)) is not None
        ),
        notes=tuple(notes),
    )


def _fetch(
    bucket: Bucket,
    key: str,
    what: str,
    store: ObjectStore,
    folder: Path,
    notes: list[str],
    sha256: str = "",
) -> SavedFile | None:
    """The picture as a file named by its content, or None with a note. sha256: what it must be."""
    try:
        return _kept(store.get_bytes(bucket, key, _BYTES_MAX), folder, sha256)
    except (NotFound, TooLarge, ObjectDamaged, RenderFailed) as exc:
        notes.append(f"The {what} cannot be used: {exc.detail}")
        return None


def _kept(data: bytes, folder: Path, sha256: str) -> SavedFile:
    """The picture on this host, proved to be the wanted one and readable."""
    found = hashlib.sha256(data).hexdigest()
    if sha256 not in {"", found}:
        raise ObjectDamaged(f"It has checksum {found[:12]} instead of {sha256[:12]}.")
    named = folder / _FOLDER / f"{found}.png"
    write_whole(named, partial(_write, data))
    read_picture(named)
    return describe(folder, named)


def _write(data: bytes, path: Path) -> None:
    path.write_bytes(data)
