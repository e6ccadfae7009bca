"""Options over environment over file, and wrong settings named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from storyforge.cli.demo import demo_data_dir, demo_port
from storyforge.cli.ports import choose_port
from storyforge.cli.read_settings import read_settings
from storyforge.errors import SetupProblem


def test_an_option_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "node.toml"
    config.write_text('[node]\nport = 1001\nlog_level = "debug"\n[jobs]\nwriters = 7\n')
    monkeypatch.setenv("STORYFORGE_CONFIG", str(config))
    monkeypatch.setenv("STORYFORGE_NODE_PORT", "1002")
    assert read_settings().node.port == 1002
    settings = read_settings(port=1003)
    assert (settings.node.port, settings.node.log_level, settings.jobs.writers) == (
        1003,
        "debug",
        7,
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STORYFORGE_NODE_PORT", "many", "STORYFORGE_NODE_PORT: "),
        ("STORYFORGE_NODE_PROT", "8400", "STORYFORGE_NODE_PROT: "),
        ("STORYFORGE_NODE_HOST", "0.0.0.0", "not a loopback address"),
        ("STORYFORGE_NODE_HOST", "example.org", "not a loopback address"),
    ],
)
def test_a_wrong_setting_is_named(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetupProblem, match=said):
        read_settings()


def test_a_file_that_is_not_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node.toml").write_text("port: 1")
    monkeypatch.setenv("STORYFORGE_CONFIG", str(tmp_path / "node.toml"))
    with pytest.raises(SetupProblem, match="STORYFORGE_CONFIG is not TOML"):
        read_settings()


def test_a_taken_port_is_a_clear_problem_that_names_the_setting(taken_port: int) -> None:
    with pytest.raises(SetupProblem, match=rf"Port {taken_port} .* STORYFORGE_NODE_PORT"):
        choose_port("127.0.0.1", taken_port)


def test_port_zero_asks_for_any_free_one() -> None:
    assert choose_port("127.0.0.1", 0) > 0


def test_the_demo_goes_to_another_port_only_if_nobody_asked_for_one(
    taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo_port(read_settings(port=taken_port)) == taken_port
    quiet = read_settings()
    monkeypatch.setattr("storyforge.cli.demo.is_free", lambda _host, _port: False)
    assert demo_port(quiet) == 0


def test_the_demo_keeps_out_of_the_owners_stories(tmp_path: Path) -> None:
    assert demo_data_dir(read_settings()).parts[-2:] == ("var", "demo")
    assert demo_data_dir(read_settings(data_dir=tmp_path)) == tmp_path
