"""The settings of one command: its options over the environment over the TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from storyforge.errors import SetupProblem
from storyforge.settings import CONFIG_VARIABLE, NodeSettings, Settings


def read_settings(*, data_dir: Path | None = None, port: int | None = None) -> Settings:
    """Read everything once. Raises SetupProblem naming the variable that is wrong."""
    given = {"data_dir": data_dir, "port": port}
    node = {name: value for name, value in given.items() if value is not None}
    overrides: Mapping[str, Any] = {"node": node} if node else {}
    try:
        settings = Settings(**overrides)
    except ValidationError as exc:
        wrong = "; ".join(_in_words(dict(error)) for error in exc.errors())
        raise SetupProblem(f"The settings are wrong: {wrong}.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SetupProblem(f"The file named by {CONFIG_VARIABLE} is not TOML: {exc}.") from exc
    except OSError as exc:
        raise SetupProblem(
            f"The file named by {CONFIG_VARIABLE} cannot be read: {exc.strerror}."
        ) from exc
    _require_loopback(settings.node)
    return settings


def _in_words(error: Mapping[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    return f"STORYFORGE_{'_'.join(path).upper()}: {error['msg']}"


def _require_loopback(node: NodeSettings) -> None:
    if not node.is_loopback:
        raise SetupProblem(
            f"STORYFORGE_NODE_HOST={node.host} is not a loopback address. Without accounts the "
            "node serves one local owner only: use 127.0.0.1, and an SSH tunnel from elsewhere."
        )
