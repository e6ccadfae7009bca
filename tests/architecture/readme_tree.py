"""The README's tree of modules, made from the modules' own opening sentences.

`python -m tests.architecture.readme_tree` (or `make tree`) writes it into the README.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import PACKAGES, ROOT, tree_of

README = ROOT / "README.md"
BEGIN, END = "<!-- tree: make tree -->\n```text\n", "```\n<!-- end of tree -->"


def expected_tree() -> str:
    """A line for every package, and for every module of the top-level packages."""
    lines = [line for package in PACKAGES for line in _lines(ROOT / package, 0)]
    width = max(len(name) for name, _ in lines)
    return "".join(f"{name:<{width}}  {says}\n" for name, says in lines)


def written_tree() -> str:
    """What the README shows now."""
    return README.read_text().split(BEGIN)[1].split(END)[0]


def main() -> None:
    """Put the tree as it should be into the README."""
    before, rest = README.read_text().split(BEGIN)
    README.write_text(before + BEGIN + expected_tree() + END + rest.split(END)[1])


def _lines(package: Path, depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    yield f"{indent}{package.name}/", _first_line(package / "__init__.py")
    for path in sorted(package.glob("*.py")) if depth == 0 else []:
        if not path.name.startswith("_"):
            yield f"{indent}  {path.name}", _first_line(path)
    for path in sorted(package.iterdir()):
        if (path / "__init__.py").exists():
            yield from _lines(path, depth + 1)


def _first_line(path: Path) -> str:
    return (ast.get_docstring(tree_of(path)) or "").split("\n")[0].rstrip(".")


if __name__ == "__main__":
    main()
