"""Bibles: read, replace and patch the facts of a story; their history and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Header, Path, Query, Request, Response

from api import announce
from api.bible_shapes import MAX_VERSION, BibleEditIn, BiblePatchIn
from api.etags import matches, strong_tag, unchanged
from api.paging import Limit, Page
from api.presets import check_style
from api.services import Services, Use
from storyforge import clock
from storyforge.database import bibles as bible_rows
from storyforge.database import scenes as scene_rows
from storyforge.database.bible_edits import edit_bible
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleVersion, KeptPatch
from storyforge.domain.bible_patch import apply, diff
from storyforge.domain.scene import Scene
from storyforge.domain.wire import Wire
from storyforge.errors import Conflict, InvalidInput

router = APIRouter(prefix="/v1/scenes/{scene_id}/bible", tags=["bibles"])

# Wire shapes


class BibleDifference(Wire):
    """What makes one version of another; `from` may be the later one."""

    scene_id: UUID
    from_version: int
    to_version: int
    patch: KeptPatch


# Operations


def read_bible(services: Services, scene_id: UUID, version: int | None) -> tuple[Scene, SceneBible]:
    """The bible now, or as it was at `version`. Raises NotFound."""
    with services.database.read() as c:
        if version is None:
            return scene_rows.get_story(c, scene_id)
        scene = scene_rows.get_scene(c, scene_id)
        return scene, scene_rows.get_bible(c, scene_id, version)


def page_versions(
    services: Services, scene_id: UUID, limit: int, before: int | None
) -> Page[BibleVersion]:
    """Versions, newest first. Raises NotFound."""
    with services.database.read() as c:
        scene_rows.get_scene(c, scene_id)
        found = bible_rows.list_versions(c, scene_id, limit=limit + 1, before=before)
    items = tuple(found[:limit])
    more = len(found) > limit
    return Page[BibleVersion](items=items, next_cursor=str(items[-1].version) if more else None)


def difference(
    services: Services, scene_id: UUID, from_version: int, to_version: int
) -> BibleDifference:
    """The patch between two versions. Raises NotFound."""
    with services.database.read() as c:
        scene_rows.get_scene(c, scene_id)
        old = scene_rows.get_bible(c, scene_id, from_version)
        new = scene_rows.get_bible(c, scene_id, to_version)
    return BibleDifference(
        scene_id=scene_id,
        from_version=from_version,
        to_version=to_version,
        patch=diff(old, new),
    )


def replace_bible(
    services: Services, scene_id: UUID, body: BibleEditIn, if_match: str | None
) -> tuple[Scene, SceneBible]:
    """Make the given facts the next version."""
    facts = body.facts()
    check_style(facts.style.preset, "/style/preset")
    base = base_version(scene_id, body.version, if_match)
    return _edit(services, scene_id, base, lambda _old: facts)


def patch_bible(
    services: Services, scene_id: UUID, body: BiblePatchIn, if_match: str | None
) -> tuple[Scene, SceneBible]:
    """Make the next version by the given changes."""
    patch = body.patch()
    if patch.style.preset is not None:
        check_style(patch.style.preset, "/style/preset")
    base = base_version(scene_id, body.version, if_match)
    return _edit(services, scene_id, base, lambda old: apply(old, patch))


def base_version(scene_id: UUID, said: int | None, if_match: str | None) -> int:
    """The version that a client has changed, from its body or its If-Match header.

    Raises InvalidInput when it says none or two, Conflict for a tag of something else.
    """
    if if_match is None:
        if said is None:
            raise InvalidInput.at(
                "/version",
                "Say which version you have changed: `version` in the body, or its ETag in "
                "If-Match.",
            )
        return said
    start, end = bible_tag(scene_id, "|").split("|")
    number = if_match.strip().removeprefix(start).removesuffix(end)
    if if_match.strip() == "*" or not (number.isascii() and number.isdecimal()):
        raise Conflict(
            f"If-Match {if_match[:80]} is no version of this bible; send the ETag that came with "
            f"the bible, such as {bible_tag(scene_id, 1)}."
        )
    if said is not None and said != int(number):
        detail = f"It says {said}, but If-Match says {number}; send one of them."
        raise InvalidInput.at("/version", detail)
    return int(number)


def bible_tag(scene_id: UUID, version: object) -> str:
    """The ETag of one version."""
    return strong_tag("bible", scene_id, version)


def _edit(
    services: Services,
    scene_id: UUID,
    base: int,
    change: Callable[[SceneBible], SceneBible],
) -> tuple[Scene, SceneBible]:
    return services.database.write(
        lambda c: edit_bible(c, scene_id, base_version=base, change=change, now=clock.utc_now())
    )


# Routes

IfMatch = Annotated[str | None, Header(alias="If-Match")]
VersionQuery = Annotated[int, Query(ge=1, le=MAX_VERSION)]
VersionPath = Annotated[int, Path(ge=1, le=MAX_VERSION)]


@router.get("", response_model=SceneBible)
def read(
    services: Use,
    scene_id: UUID,
    request: Request,
    response: Response,
    version: VersionQuery | None = None,
) -> object:
    """The facts of the story now, or as they were at `version`."""
    _, found = read_bible(services, scene_id, version)
    tag = bible_tag(scene_id, found.version)
    if matches(request, tag):
        return unchanged(tag)
    response.headers["ETag"] = tag
    return found


@router.put("")
def replace(
    services: Use,
    scene_id: UUID,
    body: BibleEditIn,
    response: Response,
    later: BackgroundTasks,
    if_match: IfMatch = None,
) -> SceneBible:
    """Write all facts anew; what is left out is empty."""
    return _answer(services, replace_bible(services, scene_id, body, if_match), response, later)


@router.patch("")
def change(
    services: Use,
    scene_id: UUID,
    body: BiblePatchIn,
    response: Response,
    later: BackgroundTasks,
    if_match: IfMatch = None,
) -> SceneBible:
    """Change some facts; what is left out stays."""
    return _answer(services, patch_bible(services, scene_id, body, if_match), response, later)


@router.get("/versions")
def versions(
    services: Use,
    scene_id: UUID,
    limit: Limit = 20,
    cursor: VersionQuery | None = None,
) -> Page[BibleVersion]:
    """The history, newest first, with what each version changes."""
    return page_versions(services, scene_id, limit, cursor)


@router.get("/versions/{version}", response_model=SceneBible)
def read_version(
    services: Use, scene_id: UUID, version: VersionPath, request: Request, response: Response
) -> object:
    """The facts as they were at one version."""
    _, found = read_bible(services, scene_id, version)
    tag = bible_tag(scene_id, version)
    if matches(request, tag):
        return unchanged(tag)
    response.headers["ETag"] = tag
    return found


@router.get("/diff")
def compare(
    services: Use,
    scene_id: UUID,
    from_version: Annotated[VersionQuery, Query(alias="from")],
    to_version: Annotated[VersionQuery, Query(alias="to")],
) -> BibleDifference:
    """What changed between two versions."""
    return difference(services, scene_id, from_version, to_version)


def _answer(
    services: Services,
    edited: tuple[Scene, SceneBible],
    response: Response,
    later: BackgroundTasks,
) -> SceneBible:
    scene, bible = edited
    response.headers["ETag"] = bible_tag(scene.id, bible.version)
    later.add_task(announce.scene_moved, services, scene.id, scene.revision)
    return bible
