"""`storyforge models` as an operator uses it, and what the doctor says about models."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from inference.devices.records import Device, Inventory
from models_cache.store import ModelStore
from storyforge.cli import main
from storyforge.cli.commands import app
from storyforge.cli.doctor.findings import Verdict
from storyforge.cli.doctor.model_checks import check_models
from storyforge.settings import NodeSettings, Settings
from tests.models_cache.hub_server import HubServer, Repo


@pytest.fixture
def command(
    store: ModelStore, hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Any]:
    """Runs `storyforge models ...` on the test's store and hub; gives its standard output."""
    monkeypatch.setenv("STORYFORGE_NODE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STORYFORGE_MODELS_HUB_URL", hub.url)
    assert Settings().models_dir == store.layout.root

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_a_model_goes_through_its_life(command: Callable[..., str], hub: HubServer) -> None:
    assert "a is here: 9 files" in command("pull", "a")
    assert "is whole" in command("verify", "a")
    assert "wan2.2-ti2v-5b" in command("list")
    shown = command("show", "a")
    assert "Apache-2.0" in shown
    assert hub.repos["test/a"].commit in shown
    assert "a\n" in command("du")
    assert "free again" in command("remove", "a")
    assert "0 bytes" in command("du")


def test_every_answer_can_be_json(command: Callable[..., str]) -> None:
    assert json.loads(command("pull", "a", "--json"))["name"] == "a"
    assert json.loads(command("verify", "a", "--json"))["whole"] is True
    listed = {one["name"]: one["local"] for one in json.loads(command("list", "--json"))}
    assert listed["a"]["bytes"] > 80_000
    assert listed["wan2.2-ti2v-5b"] is None
    assert json.loads(command("show", "a", "--json"))["sizeMultiple"] == 16
    usage = json.loads(command("du", "--json"))
    assert [one["name"] for one in usage["models"]] == ["a"]
    assert usage["totalBytes"] > 80_000
    assert json.loads(command("remove", "a", "--json"))["freedBytes"] > 80_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull", "../../etc"], "no model name"),
        (["pull", "nope"], "no model 'nope'"),
        (["verify", "a"], "pull it"),
        (["remove", "a"], "not in the store"),
        (["pull", "b"], "The hub has no test/b"),
    ],
)
def test_an_error_is_one_line_and_exit_1(
    command: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["storyforge", "models", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("storyforge: ")
    assert said in last


def test_the_licences_limits_are_said_before_a_pull(
    command: Callable[..., str], store: ModelStore, hub: HubServer
) -> None:
    own = store.layout.own_catalogue / "own.toml"
    own.write_text(own.read_text().replace('licence_limits = ""', 'licence_limits = "Not yours."'))
    done = CliRunner().invoke(app, ["models", "pull", "a"], catch_exceptions=False)
    assert "Not yours." in done.stderr


def test_a_refused_repository_leaves_nothing(
    command: Callable[..., str], hub: HubServer, store: ModelStore
) -> None:
    hub.repos["test/a"] = Repo({**hub.repos["test/a"].files, "transformer/x.pkl": b"x"})
    done = CliRunner().invoke(app, ["models", "pull", "a"])
    assert done.exit_code == 1
    assert json.loads(command("du", "--json"))["totalBytes"] == 0


def card(gigabytes: int) -> Inventory:
    total = gigabytes * 10**9
    device = Device(index=0, uuid="GPU-0", name="Card", total_bytes=total, free_bytes=total)
    return Inventory(devices=(device,), driver="1")


def test_the_doctor_recommends_a_pair_and_says_how_to_get_it(tmp_path: Path) -> None:
    settings = Settings(node=NodeSettings(data_dir=tmp_path))
    finding = check_models(settings, card(85))
    assert finding.verdict is Verdict.NOTE
    assert "wan2.2-i2v-a14b (opening shots: wan2.2-ti2v-5b)" in finding.found
    assert "storyforge models pull wan2.2-ti2v-5b" in finding.cure
    assert "licence" in finding.cure
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_is_content_without_a_card(tmp_path: Path) -> None:
    finding = check_models(Settings(node=NodeSettings(data_dir=tmp_path)), Inventory())
    assert finding.verdict is Verdict.OK
    assert "8 GB" in finding.found


def test_a_pull_evicts_neither_what_films_nor_what_writes(
    command: Callable[..., str], store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queued jobs need the configured models, loaded or not."""
    kept: list[object] = []
    real = ModelStore.pull

    def pull(self: ModelStore, name: str, progress: Any = None, keep: Any = ()) -> Any:
        kept.append(keep)
        return real(self, name, progress, keep)

    monkeypatch.setattr(ModelStore, "pull", pull)
    monkeypatch.setenv("STORYFORGE_VIDEO_MODEL", "b")
    monkeypatch.setenv("STORYFORGE_WRITER_MODEL", str(store.layout.root))
    command("pull", "a")
    assert kept == [["b"]]
