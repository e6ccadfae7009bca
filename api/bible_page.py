"""What the page of a scene's bible shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.references import list_references
from api.scenes import scene_out
from api.services import Services
from storyforge.database import bibles as bible_rows
from storyforge.database import scenes as scene_rows
from storyforge.domain.bible_changes import BibleOrigin
from storyforge.storage import paths

_HISTORY_SHOWN = 20
_ORIGINS = {
    BibleOrigin.START: "the beginning",
    BibleOrigin.JOB: "a chapter",
    BibleOrigin.EDIT: "edited",
    BibleOrigin.REMOVAL: "a chapter was removed",
}


def bible_page(services: Services, scene_id: UUID) -> Mapping[str, Any]:
    """The values of the template. Raises NotFound."""
    with services.database.read() as c:
        scene, bible = scene_rows.get_story(c, scene_id)
        history = bible_rows.list_versions(c, scene_id, limit=_HISTORY_SHOWN)
    images = list_references(services, scene_id)
    pictured = [one.character_id for one in images.characters if one.character_id]
    frame = images.style_frame and f"/media/{paths.style_frame_key(scene_id)}"
    return {
        "scene": scene_out(scene),
        "bible": bible,
        "history": history,
        "origins": _ORIGINS,
        "pictures": {one: f"/media/{paths.reference_key(scene_id, one)}" for one in pictured},
        "style_frame": frame,
    }
