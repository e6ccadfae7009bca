"""A problem as a small page, for people whose browser asked for one of our pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

TEMPLATES = Path(__file__).parent / "templates"
_MACHINE_PATHS = ("/v1/", "/media/", "/health/", "/static/")


@cache
def environment() -> Environment:
    """The page templates; everything put into them is escaped."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a person looks at this: a page's address, asked for as HTML."""
    return "text/html" in connection.headers.get("accept", "") and not (
        connection.url.path.startswith(_MACHINE_PATHS)
    )


def problem_page(
    status: int, title: str, detail: str, instance: str, headers: Mapping[str, str]
) -> HTMLResponse:
    """The page that says what went wrong and where to go from here."""
    body = (
        environment()
        .get_template("problem.html")
        .render(status=status, title=title, detail=detail, instance=instance)
    )
    return HTMLResponse(body, status, dict(headers))
