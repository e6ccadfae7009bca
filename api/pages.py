"""The pages: the list of scenes, and the scene that plays its film while it grows."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent / "static"


def mount_static(app: FastAPI) -> None:
    """Serve our own scripts and styles, and the player that set-up put there."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
