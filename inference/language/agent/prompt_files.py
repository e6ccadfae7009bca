"""The reviewed prompt templates: loaded from text files, rendered strictly, with one version."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

PROMPTS_VERSION = "1"
"""Raised by hand with every change of a template; a test holds the two together."""

_FOLDER = Path(__file__).with_name("prompts")
_SHOWN = 8


def render(name: str, **values: Any) -> str:
    """A template with its values; one that is missing is an error, never an empty place."""
    return _templates().get_template(f"{name}.j2").render(**values).strip()


@cache
def fingerprint() -> str:
    """sha256 of all templates."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.j2")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def prompts_version() -> str:
    """The version as it is stored with each script: the number and what it stood for."""
    return f"{PROMPTS_VERSION}-{fingerprint()[:_SHOWN]}"


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  the output is a prompt and no page; `as_data` cleans what goes in
    )
