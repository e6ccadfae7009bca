"""What the doctor and the node find out about the writer before it is started."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from inference.devices.records import Inventory
from models_cache.store import model_store
from storyforge.cli.doctor.findings import Verdict
from storyforge.cli.doctor.writer_checks import check_writer
from storyforge.cli.engine.launching import choose_writer, find_python, launch_engine
from storyforge.errors import SetupProblem
from storyforge.settings import NodeSettings, Settings, WriterSettings
from tests.servers.fake_openai import FakeOpenAi
from tests.servers.postgres import free_port

NO_CARDS = Inventory(devices=(), driver="", problem="")


def settings_of(tmp_path: Path, **writer: object) -> Settings:
    return Settings(
        node=NodeSettings(data_dir=tmp_path), writer=WriterSettings.model_validate(writer)
    )


def python_that_says(tmp_path: Path, version: str) -> Path:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{version}'\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python


def test_rules_need_nothing(tmp_path: Path) -> None:
    assert check_writer(settings_of(tmp_path), NO_CARDS).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("no-such-model", "neither a folder nor a model of the catalogue"),
        ("wan2.1-t2v-1.3b", "films and does not write"),
        ("qwen3-4b", "storyforge models pull qwen3-4b"),
    ],
)
def test_a_model_that_cannot_be_served_is_named_with_its_cure(
    tmp_path: Path, model: str, words: str
) -> None:
    settings = settings_of(tmp_path, model=model)
    with pytest.raises(SetupProblem, match=words):
        choose_writer(model, model_store(settings))
    found = check_writer(settings, NO_CARDS)
    assert found.verdict is Verdict.BROKEN
    assert words in found.found


@pytest.mark.parametrize(
    ("version", "verdict", "words"),
    [
        ("0.33.0", Verdict.OK, "by vLLM 0.33.0 on cpu"),
        ("0.32.0+cpu", Verdict.OK, "by vLLM 0.32.0+cpu on cpu"),
        ("0.14.0", Verdict.BROKEN, "known holes"),
        ("", Verdict.BROKEN, "has no vLLM"),
    ],
)
def test_the_environment_is_asked_for_its_vllm(
    tmp_path: Path, version: str, verdict: Verdict, words: str
) -> None:
    python = python_that_says(tmp_path, version)
    found = check_writer(settings_of(tmp_path, model=str(tmp_path), python=python), NO_CARDS)
    assert (found.verdict, words in found.found) == (verdict, True), found


def test_a_python_that_cannot_be_run_is_a_set_up_problem(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, model=str(tmp_path), python=tmp_path / "nothing")
    with pytest.raises(SetupProblem, match="STORYFORGE_WRITER_PYTHON"):
        find_python(settings, "cpu")


def test_a_folder_is_served_under_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    python = python_that_says(tmp_path, "0.33.0")
    settings = settings_of(tmp_path, model=str(folder), python=python, context_tokens=4096)
    launch = launch_engine(settings, "cpu", 8123)
    assert launch.name == "my-model"
    assert launch.model_folder == folder.resolve()
    assert launch.context_tokens == 4096
    assert launch.argv[0] == str(python)


def test_a_server_of_the_owners_is_asked_what_it_serves(tmp_path: Path) -> None:
    with FakeOpenAi() as server:
        found = check_writer(settings_of(tmp_path, url=f"{server.url}/v1"), NO_CARDS)
        assert "serves fake-model" in found.found
        other = check_writer(settings_of(tmp_path, url=server.url, model="other"), NO_CARDS)
    assert other.verdict is Verdict.BROKEN
    assert "serves fake-model, not other" in other.found


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://user:word@x:1", "http://"])
def test_a_url_that_is_none_is_said_so(tmp_path: Path, url: str) -> None:
    found = check_writer(settings_of(tmp_path, url=url), NO_CARDS)
    assert found.verdict is Verdict.BROKEN
    assert "word" not in found.found


def test_a_server_that_does_not_answer_is_broken(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert check_writer(settings_of(tmp_path, url=url), NO_CARDS).verdict is Verdict.BROKEN
