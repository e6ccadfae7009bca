"""Scenes: start, list, read, rename and delete story threads."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request, Response
from pydantic import model_validator

from api import announce
from api.bible_shapes import BibleIn
from api.bodies import Body, one_line
from api.etags import matches, strong_tag, unchanged
from api.paging import Limit, Page
from api.presets import check_style
from api.services import Services, Use
from storyforge import clock
from storyforge.database import deletion
from storyforge.database import scenes as scene_rows
from storyforge.domain.bible import SceneBible
from storyforge.domain.presets import DEFAULT_STYLE
from storyforge.domain.scene import Scene, SceneApproval
from storyforge.domain.wire import Wire
from storyforge.errors import InvalidInput
from storyforge.ids import uuid7

router = APIRouter(prefix="/v1/scenes", tags=["scenes"])
UNTITLED = "Untitled story"

# Wire shapes


class SceneIn(Body):
    """What a new scene may be given; all of it is optional."""

    title: str = ""
    style_preset: str | None = None
    bible: BibleIn | None = None


class SceneChange(Body):
    """What may be changed about a scene. approval: `hold` shows each job's plan before it films."""

    title: str | None = None
    approval: SceneApproval | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.title is None and self.approval is None:
            raise ValueError("send a title, an approval or both")
        return self


class SceneOut(Wire):
    """A scene as clients see it; addresses are paths on this node.

    revision: grows with every visible change. segment_count: how many segments can be played.
    """

    id: UUID
    title: str
    style_preset: str
    approval: SceneApproval
    created_at: datetime
    updated_at: datetime
    revision: int
    bible_version: int
    segment_count: int
    playlist_epoch: int
    live_job_id: UUID | None
    page_url: str
    playlist_url: str
    master_url: str | None


def scene_out(scene: Scene) -> SceneOut:
    """The wire shape of a scene; there is a master playlist once there is a segment."""
    count = scene.next_number - 1
    return SceneOut(
        id=scene.id,
        title=scene.title,
        style_preset=scene.style_preset,
        approval=scene.approval,
        created_at=scene.created_at,
        updated_at=scene.updated_at,
        revision=scene.revision,
        bible_version=scene.bible_version,
        segment_count=count,
        playlist_epoch=scene.playlist_epoch,
        live_job_id=scene.live_job_id,
        page_url=f"/scenes/{scene.id}",
        playlist_url=f"/v1/scenes/{scene.id}/playlist",
        master_url=f"/v1/scenes/{scene.id}/master.m3u8" if count else None,
    )


# Operations


def start_scene(services: Services, body: SceneIn) -> Scene:
    """Check what was given and write the scene with its first bible."""
    limit_chars = services.settings.limits.title_chars
    bible = _first_bible(body)
    title = one_line(body.title, "/title", limit_chars) or bible.title[:limit_chars] or UNTITLED
    return services.database.write(
        lambda c: scene_rows.create_scene(
            c, scene_id=uuid7(), title=title, bible=bible, now=clock.utc_now()
        )
    )


def _first_bible(body: SceneIn) -> SceneBible:
    given = body.bible or BibleIn()
    named = given.style.preset if "preset" in given.style.model_fields_set else None
    style = body.style_preset or named or DEFAULT_STYLE
    check_style(style, "/stylePreset" if body.style_preset else "/bible/style/preset")
    if named is not None and named != style:
        detail = f"It says '{style}', but bible.style.preset says '{named}'; send one of them."
        raise InvalidInput.at("/stylePreset", detail)
    facts = given.facts()
    return facts.model_copy(update={"style": facts.style.model_copy(update={"preset": style})})


def change_scene(services: Services, scene_id: UUID, body: SceneChange) -> Scene:
    """Change what is given; a title must say something."""
    title = body.title
    if title is not None:
        title = one_line(title, "/title", services.settings.limits.title_chars)
    if title == "":
        raise InvalidInput.at("/title", "A title has at least one character.")
    return services.database.write(
        lambda c: scene_rows.change_scene(
            c, scene_id, now=clock.utc_now(), title=title, approval=body.approval
        )
    )


def read_scene(services: Services, scene_id: UUID) -> Scene:
    """The scene with its head. Raises NotFound."""
    with services.database.read() as c:
        return scene_rows.get_scene(c, scene_id)


def page_scenes(services: Services, limit: int, cursor: UUID | None) -> Page[SceneOut]:
    """Scenes, newest first."""
    with services.database.read() as c:
        found = scene_rows.list_scenes(c, limit=limit + 1, before=cursor)
    more = len(found) > limit
    items = tuple(scene_out(scene) for scene in found[:limit])
    return Page[SceneOut](items=items, next_cursor=str(items[-1].id) if more else None)


# Routes


@router.post("", status_code=201)
def create(services: Use, body: SceneIn, response: Response, later: BackgroundTasks) -> SceneOut:
    """Start a scene."""
    scene = start_scene(services, body)
    response.headers["Location"] = f"/v1/scenes/{scene.id}"
    response.headers["ETag"] = _tag(scene)
    later.add_task(announce.scene_moved, services, scene.id, scene.revision)
    return scene_out(scene)


@router.get("")
def list_all(services: Use, limit: Limit = 20, cursor: UUID | None = None) -> Page[SceneOut]:
    """One page of scenes, newest first."""
    return page_scenes(services, limit, cursor)


@router.get("/{scene_id}", response_model=SceneOut)
def read(services: Use, scene_id: UUID, request: Request, response: Response) -> object:
    """One scene; 304 while its revision is the one that the client has."""
    scene = read_scene(services, scene_id)
    if matches(request, _tag(scene)):
        return unchanged(_tag(scene))
    response.headers["ETag"] = _tag(scene)
    return scene_out(scene)


@router.patch("/{scene_id}")
def change(
    services: Use, scene_id: UUID, body: SceneChange, response: Response, later: BackgroundTasks
) -> SceneOut:
    """Rename a scene, or say whether its jobs hold for approval."""
    scene = change_scene(services, scene_id, body)
    response.headers["ETag"] = _tag(scene)
    later.add_task(announce.scene_moved, services, scene.id, scene.revision)
    return scene_out(scene)


@router.delete("/{scene_id}", status_code=204)
def delete(services: Use, scene_id: UUID, later: BackgroundTasks) -> None:
    """Delete a scene: its open jobs are cancelled, its files are collected later."""
    services.database.write(lambda c: deletion.delete_scene(c, scene_id, now=clock.utc_now()))
    later.add_task(announce.scene_moved, services, scene_id, None)


def _tag(scene: Scene) -> str:
    return strong_tag("scene", scene.id, scene.revision)
