"""The doctor: what it finds, and when it says that the node cannot work."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from storyforge.cli.commands import app
from storyforge.cli.devices import DeviceReading, FoundDevice, read_devices
from storyforge.cli.doctor import host_checks, node_checks
from storyforge.cli.doctor.findings import Finding, Verdict, is_healthy, show
from storyforge.settings import BrokerSettings, DatabaseSettings, NodeSettings, Settings

GPU = FoundDevice(index=0, name="Test GPU", total_bytes=80 << 30, free_bytes=79 << 30)


def test_a_machine_without_a_driver_has_no_devices_and_no_problem() -> None:
    finding = host_checks.check_devices(DeviceReading())
    assert finding.verdict is Verdict.OK
    assert "CPU" in finding.found


def test_a_driver_that_does_not_answer_is_worth_a_note() -> None:
    finding = host_checks.check_devices(DeviceReading(problem="Driver/library version mismatch"))
    assert finding.verdict is Verdict.NOTE
    assert "nvidia-smi" in finding.cure


def test_a_gpu_is_shown_with_its_memory() -> None:
    finding = host_checks.check_devices(DeviceReading((GPU,), driver="575.1"))
    assert "0: Test GPU (79 of 80 GiB free); driver 575.1" in finding.found


def test_reading_the_devices_of_this_machine_never_raises() -> None:
    assert isinstance(read_devices(), DeviceReading)


def test_a_listed_hardware_encoder_is_not_claimed_to_work() -> None:
    codecs = {"libx264", "aac", "h264_nvenc"}
    finding = host_checks.check_encoders(codecs, DeviceReading((GPU,)))
    assert finding.verdict is Verdict.OK
    assert "has not tried it" in finding.found


def test_a_missing_encoder_breaks_the_node() -> None:
    finding = host_checks.check_encoders({"aac"}, DeviceReading())
    assert finding.verdict is Verdict.BROKEN
    assert "libx264" in finding.found


def test_the_encoders_of_this_machine_are_found() -> None:
    finding = host_checks.check_encoders(host_checks.read_codecs(), DeviceReading())
    assert finding.verdict is Verdict.OK


def test_little_memory_is_worth_a_note(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 4000000 kB\nMemAvailable: 1000000 kB\n")
    assert host_checks.check_memory(meminfo).verdict is Verdict.NOTE
    assert host_checks.check_memory(tmp_path / "none").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("version", "verdict"),
    [((3, 11, 2), Verdict.OK), ((3, 12, 0), Verdict.OK), ((3, 13, 1), Verdict.NOTE)],
)
def test_a_python_too_new_for_models_is_worth_a_note(
    version: tuple[int, int, int], verdict: Verdict
) -> None:
    assert host_checks.check_python(version).verdict is verdict


def test_a_database_that_is_not_there_yet_is_fine_and_stays_not_there(tmp_path: Path) -> None:
    settings = Settings(node=NodeSettings(data_dir=tmp_path / "data"))
    assert node_checks.check_database(settings).verdict is Verdict.OK
    assert not (tmp_path / "data").exists()


def test_a_database_and_a_broker_that_do_not_answer_break_the_node(taken_port: int) -> None:
    settings = Settings(
        database=DatabaseSettings(url="postgresql://nobody:secret@127.0.0.1:1/none"),
        broker=BrokerSettings(url="redis://:secret@127.0.0.1:1/0"),
    )
    for finding in (node_checks.check_database(settings), node_checks.check_broker(settings)):
        assert finding.verdict is Verdict.BROKEN
        assert finding.cure
        assert "secret" not in finding.found + finding.cure


def test_page_assets_that_are_missing_are_worth_a_note(tmp_path: Path) -> None:
    assert node_checks.check_page_assets(tmp_path / "none").verdict is Verdict.NOTE
    (tmp_path / "player.js").touch()
    assert "player.js" in node_checks.check_page_assets(tmp_path).found


def test_the_report_has_a_line_each_and_the_cure_below() -> None:
    written = io.StringIO()
    findings = (
        Finding(name="disk", verdict=Verdict.OK, found="Much [free] space."),
        Finding(name="broker", verdict=Verdict.BROKEN, found="Silent.", cure="Start it."),
    )
    show(findings, Console(file=written, width=40))
    assert written.getvalue().splitlines() == [
        "ok     disk    Much [free] space.",
        "broken broker  Silent.",
        "               -> Start it.",
    ]
    assert not is_healthy(findings)
    assert is_healthy(findings[:1])


def test_the_command_exits_with_one_when_something_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["doctor", "--json", "--data-dir", str(tmp_path / "data")]
    healthy = CliRunner().invoke(app, arguments)
    assert healthy.exit_code == 0, healthy.output
    assert {one["name"] for one in json.loads(healthy.stdout)} >= {"python", "broker", "store"}
    monkeypatch.setenv("STORYFORGE_BROKER_URL", "redis://127.0.0.1:1/0")
    assert CliRunner().invoke(app, arguments).exit_code == 1
