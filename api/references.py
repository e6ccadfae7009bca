"""Reference images: pictures that say how a scene and its characters look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Request, Response

from api import announce
from api.media import serve
from api.services import Services, Use
from storyforge import clock
from storyforge.database import scenes as scene_rows
from storyforge.domain.bible import ENTITY_ID
from storyforge.domain.wire import Wire
from storyforge.errors import NotFound
from storyforge.images.intake import Picture
from storyforge.storage import paths
from storyforge.storage.store import Bucket

router = APIRouter(prefix="/v1/scenes/{scene_id}/reference", tags=["reference images"])
_CACHE = "no-cache"  # another picture may come under the same name

# Wire shapes


class ReferenceOut(Wire):
    """One reference image. character_id: whom it shows; None for the style frame."""

    character_id: str | None
    url: str
    bytes: int


class ReferenceTaken(ReferenceOut):
    """What became of a picture that was sent: a PNG of this size in pixels."""

    width: int
    height: int


class References(Wire):
    """All reference images of a scene."""

    style_frame: ReferenceOut | None
    characters: tuple[ReferenceOut, ...]


# Operations


def list_references(services: Services, scene_id: UUID) -> References:
    """The images that are there of the style and of the bible's characters. Raises NotFound."""
    with services.database.read() as c:
        _, bible = scene_rows.get_story(c, scene_id)
    prefix = paths.reference_prefix(scene_id)
    stored = {one.key: one.size_bytes for one in services.store.list(Bucket.ASSETS, prefix)}
    found = [_shown(scene_id, one.id, stored) for one in bible.characters]
    return References(
        style_frame=_shown(scene_id, None, stored),
        characters=tuple(one for one in found if one is not None),
    )


def _shown(
    scene_id: UUID, character_id: str | None, stored: Mapping[str, int]
) -> ReferenceOut | None:
    size_bytes = stored.get(_key(scene_id, character_id))
    if size_bytes is None:
        return None
    url = _url(scene_id, character_id)
    return ReferenceOut(character_id=character_id, url=url, bytes=size_bytes)


def put_reference(
    services: Services, scene_id: UUID, character_id: str | None, data: bytes, media_type: str
) -> ReferenceTaken:
    """Decode the picture safely and keep it. Raises NotFound and what the intake raises."""
    _require(services, scene_id, character_id)
    picture = services.pictures.take(data, media_type)
    _keep(services, scene_id, character_id, picture)
    return ReferenceTaken(
        character_id=character_id,
        url=_url(scene_id, character_id),
        bytes=len(picture.png),
        width=picture.width,
        height=picture.height,
    )


def _keep(services: Services, scene_id: UUID, character_id: str | None, picture: Picture) -> None:
    services.store.put_bytes(
        Bucket.ASSETS,
        _key(scene_id, character_id),
        picture.png,
        content_type="image/png",
        cache_control=_CACHE,
    )


def delete_reference(services: Services, scene_id: UUID, character_id: str | None) -> None:
    """Take an image away, also that of a character who is not in the bible any more."""
    with services.database.read() as c:
        scene_rows.get_scene(c, scene_id)
    key = _checked_key(scene_id, character_id)
    if services.store.head(Bucket.ASSETS, key) is None:
        raise _absent(scene_id, character_id)
    services.store.delete(Bucket.ASSETS, key)


def _require(services: Services, scene_id: UUID, character_id: str | None) -> None:
    with services.database.read() as c:
        _, bible = scene_rows.get_story(c, scene_id)
    known = [one.id for one in bible.characters]
    if character_id is not None and character_id not in known:
        raise NotFound(
            f"The bible of scene {scene_id} has no character '{character_id[:64]}'; it has: "
            f"{', '.join(known[:20]) or 'none'}."
        )


def _key(scene_id: UUID, character_id: str | None) -> str:
    if character_id is None:
        return paths.style_frame_key(scene_id)
    return paths.reference_key(scene_id, character_id)


def _checked_key(scene_id: UUID, character_id: str | None) -> str:
    """The key of an id as a client wrote it. Raises NotFound for what no id can be."""
    if character_id is not None and not re.fullmatch(ENTITY_ID, character_id):
        raise _absent(scene_id, character_id)
    return _key(scene_id, character_id)


def _absent(scene_id: UUID, character_id: str | None) -> NotFound:
    whose = "style frame" if character_id is None else f"image of '{character_id[:64]}'"
    return NotFound(f"Scene {scene_id} has no {whose}.")


def _url(scene_id: UUID, character_id: str | None) -> str:
    tail = "style_frame" if character_id is None else f"characters/{character_id}"
    return f"/v1/scenes/{scene_id}/reference/{tail}"


# Routes

Raw = Annotated[bytes, Body()]


@router.get("")
def list_all(services: Use, scene_id: UUID) -> References:
    """The reference images of a scene."""
    return list_references(services, scene_id)


@router.get("/style_frame")
@router.head("/style_frame", include_in_schema=False)
def read_style_frame(services: Use, scene_id: UUID, request: Request) -> Response:
    """The style frame as PNG."""
    return _read(services, scene_id, None, request)


@router.put("/style_frame")
def put_style_frame(
    services: Use, scene_id: UUID, data: Raw, request: Request, later: BackgroundTasks
) -> ReferenceTaken:
    """Say by a picture how the scene looks: the raw bytes of a PNG, JPEG or WebP."""
    return _put(services, scene_id, None, data, request, later)


@router.delete("/style_frame", status_code=204)
def delete_style_frame(services: Use, scene_id: UUID, later: BackgroundTasks) -> None:
    """Take the style frame away."""
    delete_reference(services, scene_id, None)
    _announce(services, scene_id, later)


@router.get("/characters/{character_id}")
@router.head("/characters/{character_id}", include_in_schema=False)
def read_character(services: Use, scene_id: UUID, character_id: str, request: Request) -> Response:
    """A character's image as PNG."""
    return _read(services, scene_id, character_id, request)


@router.put("/characters/{character_id}")
def put_character(
    services: Use,
    scene_id: UUID,
    character_id: str,
    data: Raw,
    request: Request,
    later: BackgroundTasks,
) -> ReferenceTaken:
    """Say by a picture how a character looks: the raw bytes of a PNG, JPEG or WebP."""
    return _put(services, scene_id, character_id, data, request, later)


@router.delete("/characters/{character_id}", status_code=204)
def delete_character(
    services: Use, scene_id: UUID, character_id: str, later: BackgroundTasks
) -> None:
    """Take a character's image away."""
    delete_reference(services, scene_id, character_id)
    _announce(services, scene_id, later)


def _read(
    services: Services, scene_id: UUID, character_id: str | None, request: Request
) -> Response:
    with services.database.read() as c:
        scene_rows.get_scene(c, scene_id)
    key = _checked_key(scene_id, character_id)
    try:
        return serve(services, request, Bucket.ASSETS, key, cache_control=_CACHE)
    except NotFound as exc:
        raise _absent(scene_id, character_id) from exc


def _put(
    services: Services,
    scene_id: UUID,
    character_id: str | None,
    data: bytes,
    request: Request,
    later: BackgroundTasks,
) -> ReferenceTaken:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = put_reference(services, scene_id, character_id, data, media_type)
    _announce(services, scene_id, later)
    return taken


def _announce(services: Services, scene_id: UUID, later: BackgroundTasks) -> None:
    """Something visible about the scene changed, so its pages look again."""
    revision = services.database.write(
        lambda c: scene_rows.change_scene(c, scene_id, now=clock.utc_now())
    ).revision
    later.add_task(announce.scene_moved, services, scene_id, revision)
