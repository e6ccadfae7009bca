"""Files and functions stay small, and every module says in one sentence what it is."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.architecture.source_tree import modules, python_files, shown, tree_of

FILE_LINES_WANTED, FILE_LINES_HARD = 300, 500
FUNCTION_LINES_HARD = 60


def test_no_file_is_longer_than_the_hard_limit(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in python_files()}
    long = {name: lines for name, lines in lengths.items() if lines > FILE_LINES_WANTED}
    if long:
        with capsys.disabled():
            sys.stdout.write(f"\nover {FILE_LINES_WANTED} lines: {long}\n")
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES_HARD} == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = {
        f"{shown(path)}:{node.lineno} {node.name}": length
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_HARD
    }
    assert long == {}


def test_every_module_opens_with_a_sentence() -> None:
    without = [
        name
        for name, path in modules().items()
        if not _is_sentence((ast.get_docstring(tree_of(path)) or "").split("\n\n")[0])
    ]
    assert without == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [name for name in modules() if name.rsplit(".", 1)[-1] in vague] == []


def _is_sentence(text: str) -> bool:
    return bool(text) and text[0].isupper() | (text[0] in "`_") and text.rstrip()[-1] in ".:!"
