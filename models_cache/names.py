"""Names of models and the paths that they may become: nothing leads out of the store."""

from __future__ import annotations

import re
from pathlib import Path

from storyforge.errors import InvalidInput, WeightsDamaged

# The hub's own limit for a repository id is 96; `--` is its separator on disk.
_NAME_MAX_CHARS = 96
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_][\w.+-]*", re.ASCII)
_SEPARATOR = "--"
_PATH_MAX_CHARS, _PATH_MAX_PARTS = 200, 6
COMMIT = re.compile(r"[0-9a-f]{40}")


def model_name(text: str) -> str:
    """The name itself when it is legal. Raises InvalidInput; no look-alike letter passes."""
    legal = len(text) <= _NAME_MAX_CHARS and _NAME.fullmatch(text)
    if not legal or _SEPARATOR in text or ".." in text or text.endswith((".", "-")):
        shown = text[:_NAME_MAX_CHARS].encode("ascii", "backslashreplace").decode()
        raise InvalidInput(
            f"{shown!r} is no model name: letters, digits, dots, dashes and underscores, with at "
            "most one slash, e.g. wan2.1-t2v-1.3b."
        )
    return text


def folder_of(name: str) -> str:
    """One folder name for a model name; two names never share one."""
    return model_name(name).replace("/", _SEPARATOR)


def same_but_for_case(name: str, others: list[str]) -> str | None:
    """Another name that differs in case only, which some file systems take for the same."""
    return next((o for o in others if o != name and o.casefold() == name.casefold()), None)


def is_plain_path(path: str) -> bool:
    """Whether a file's path in a repository is plain: relative, ASCII, no dot folders."""
    parts = path.split("/")
    return (
        len(path) <= _PATH_MAX_CHARS
        and len(parts) <= _PATH_MAX_PARTS
        and all(_PART.fullmatch(part) and ".." not in part for part in parts)
    )


def inside(root: Path, path: Path, name: str) -> Path:
    """The real file behind `path`, which must lie in `root` after every symlink is followed.

    A link to another place of the same store is fine. Raises WeightsDamaged naming the model.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as exc:
        raise WeightsDamaged(
            f"The model '{name}' lacks '{path.name}'; pull it again: storyforge models pull {name}."
        ) from exc
    if not real.is_relative_to(root.resolve()):
        raise WeightsDamaged(
            f"In the model '{name}', '{path.name}' leads out of the model store; remove the model "
            f"and pull it again: storyforge models remove {name}."
        )
    return real
