"""The pages: the list of scenes, and the scene that plays its film while it grows.

Lists on a page come from the same templates when they change: the scripts ask for a fragment
(`/scenes/{id}/chapters`, `/scenes/{id}/jobs`, `/scenes/{id}/card`) and put it in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.bible_page import bible_page
from api.frontend_install import is_installed
from api.page_views import STAGE_WORDS, card, cards, chapters, clock_words, scene_jobs
from api.problem_page import environment
from api.services import Services, Use
from storyforge.domain.presets import DEFAULT_STYLE, STYLE_DESCRIPTIONS
from storyforge.errors import NotFound

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent / "static"
_MAX_NUMBER = 2**31 - 1
_STYLE_NAMES = {name: name.capitalize() for name in STYLE_DESCRIPTIONS} | {"scifi": "Sci-fi"}
_STAGES = {stage.value if stage else "": words for stage, words in STAGE_WORDS.items()}


def mount_static(app: FastAPI) -> None:
    """Serve our own scripts and styles, and the player that set-up put there."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


@router.get("/")
def home(services: Use, cursor: UUID | None = None) -> HTMLResponse:
    """All scenes, and the box that starts one."""
    return _page("home.html", services, page=cards(services, cursor), first=cursor is None)


@router.get("/scenes/{scene}")
def scene(
    services: Use, scene: str, rev: Annotated[int | None, Query(ge=1, le=_MAX_NUMBER)] = None
) -> HTMLResponse:
    """One scene: its film, its chapters, its jobs, and the box to continue it.

    rev: play its first `rev` segments as a finished film instead of the one that grows.
    """
    scene_id = _scene_id(scene)
    shown = chapters(services, scene_id, 0)
    return _page(
        "scene.html",
        services,
        scene=shown.scene,
        page=shown,
        rev=rev,
        jobs=scene_jobs(services, scene_id),
        has_player=is_installed(STATIC / "vendor"),
    )


@router.get("/scenes/{scene}/bible")
def bible(services: Use, scene: str) -> HTMLResponse:
    """The facts of a scene in a form, and their history."""
    return _page("bible.html", services, **bible_page(services, _scene_id(scene)))


@router.get("/scenes/{scene_id}/chapters")
def chapter_fragment(
    services: Use, scene_id: UUID, after: Annotated[int, Query(ge=0, le=_MAX_NUMBER)] = 0
) -> HTMLResponse:
    """More chapters."""
    shown = chapters(services, scene_id, after)
    return _page("_chapters.html", services, scene=shown.scene, page=shown)


@router.get("/scenes/{scene_id}/jobs")
def job_fragment(services: Use, scene_id: UUID) -> HTMLResponse:
    """The scene's jobs as they are."""
    return _page("_jobs.html", services, jobs=scene_jobs(services, scene_id))


@router.get("/scenes/{scene_id}/card")
def card_fragment(services: Use, scene_id: UUID) -> HTMLResponse:
    """The scene as the list shows it."""
    return _page("_card.html", services, card=card(services, scene_id))


def _scene_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise NotFound(f"There is no scene '{text[:60]}'.") from exc


def _page(template: str, services: Services, **values: Any) -> HTMLResponse:
    body = (
        environment()
        .get_template(template)
        .render(
            **values,
            limits=services.settings.limits,
            styles=STYLE_DESCRIPTIONS,
            style_names=_STYLE_NAMES,
            default_style=DEFAULT_STYLE,
            stages=_STAGES,
            length=clock_words,
        )
    )
    return HTMLResponse(body)
