"""Our source files, read once for the architecture tests."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("storyforge", "api", "scheduler", "pipelines", "inference", "models_cache")


@lru_cache(maxsize=1)
def modules() -> dict[str, Path]:
    """Dotted names of all modules of our packages, with their files."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found


@lru_cache(maxsize=1)
def tracked_files() -> tuple[Path, ...]:
    """Every file under version control; without git, all that is not made by a tool."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return tuple(path for path in sorted(ROOT.rglob("*")) if path.is_file() and _is_ours(path))
    # a clone that belongs to another user is still this clone
    trust = ("-c", f"safe.directory={ROOT}")
    listed = subprocess.run(
        ["git", *trust, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    made = {"node_modules", "vendor", "var", "out", "build", "dist", "__pycache__"}
    return not made & set(parts) and not (parts[0].startswith(".") and parts[0] != ".ci")


def python_files() -> Iterator[Path]:
    """Our packages, tests and benchmarks."""
    for folder in (*PACKAGES, "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


@lru_cache(maxsize=512)
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file it does so."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def shown(path: Path) -> str:
    """A path for a message."""
    return str(path.relative_to(ROOT))
