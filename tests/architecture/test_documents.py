"""The documents tell the truth about the tree: every path and every module that they name."""

from __future__ import annotations

import re
import subprocess

import pytest

from storyforge.settings import Settings
from tests.architecture.readme_tree import expected_tree, written_tree
from tests.architecture.source_tree import ROOT, tracked_files

DOCUMENTS = sorted(
    path for path in tracked_files() if path.suffix == ".md" and "node_modules" not in path.parts
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
# A name in backticks with a slash or an ending of ours is a path in this repository.
PATH = re.compile(
    r"`((?:storyforge|api|scheduler|pipelines|inference|models_cache|tests|docs|docker|benchmarks)"
    r"/[\w./-]+)`"
)


def test_the_readme_shows_the_tree_as_it_is() -> None:
    assert written_tree() == expected_tree(), "run `make tree`"


@pytest.mark.parametrize("name", [str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_every_link_and_path_in_a_document_leads_somewhere(name: str) -> None:
    document = ROOT / name
    text = document.read_text()
    links = {target for target in LINK.findall(text) if not (document.parent / target).exists()}
    paths = {target for target in PATH.findall(text) if not (ROOT / target).exists()}
    assert links | paths == set()


def test_every_setting_named_in_the_documents_exists() -> None:
    known = {
        f"STORYFORGE_{group}_{field}".upper()
        for group, of in Settings.model_fields.items()
        for field in getattr(of.annotation, "model_fields", ())
    }
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"STORYFORGE_[A-Z0-9]+_[A-Z0-9_]*[A-Z0-9]", path.read_text())
    }
    assert named - known == set()


def test_every_make_target_named_in_the_documents_exists() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    targets = {line.split()[0] for line in listed.stdout.splitlines() if line}
    named = {
        name for path in DOCUMENTS for name in re.findall(r"`make ([a-z-]+)", path.read_text())
    }
    assert named - targets == set()
