"""Arrows point down: the contracts of import-linter hold, and nobody imports the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.architecture.source_tree import ROOT, imports_of, modules, shown

ENGINES = {"torch", "vllm", "diffusers", "transformers", "accelerate", "pynvml"}


def test_every_contract_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=str(tmp_path))
    assert status == 0, capsys.readouterr().out


def test_nobody_imports_the_command() -> None:
    guests = [
        shown(path)
        for name, path in modules().items()
        if not name.startswith("storyforge.cli")
        and any(one.startswith("storyforge.cli") for one in imports_of(path))
    ]
    assert guests == []


def test_stages_see_model_protocols_and_never_engines() -> None:
    wrong = {
        name: sorted(engines)
        for name, path in modules().items()
        if name.startswith("pipelines.stages")
        and (engines := {one for one in imports_of(path) if one.split(".")[0] in ENGINES})
    }
    assert wrong == {}


def test_sql_is_written_only_in_the_database_package() -> None:
    allowed = ("storyforge.database", "storyforge.cli.doctor", "api.health_checks")
    writers = [
        name
        for name, path in modules().items()
        if not name.startswith(allowed)
        and {"sqlalchemy.select", "sqlalchemy.update", "sqlalchemy.insert", "sqlalchemy.text"}
        & set(imports_of(path))
    ]
    assert writers == []
