"""The doctor: what it finds, and when it says that the node cannot work."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from inference.devices.nvenc import NvencResult
from inference.devices.quarantine import Quarantine, Quarantined
from inference.devices.records import Device, Inventory
from storyforge.cli.commands import app
from storyforge.cli.doctor import host_checks, node_checks
from storyforge.cli.doctor.findings import Finding, Verdict, is_healthy, show
from storyforge.settings import BrokerSettings, DatabaseSettings, NodeSettings, Settings

GPU = Device(index=0, uuid="GPU-0", name="Test GPU", total_bytes=80 << 30, free_bytes=79 << 30)


def test_a_machine_without_a_driver_has_no_devices_and_no_problem(tmp_path: Path) -> None:
    finding = host_checks.check_devices(Inventory(), Quarantine(tmp_path))
    assert finding.verdict is Verdict.OK
    assert "CPU" in finding.found


def test_a_driver_that_does_not_answer_is_worth_a_note(tmp_path: Path) -> None:
    inventory = Inventory(problem="Driver/library version mismatch")
    finding = host_checks.check_devices(inventory, Quarantine(tmp_path))
    assert finding.verdict is Verdict.NOTE
    assert "version mismatch" in finding.found
    assert "nvidia-smi" in finding.cure


def test_a_gpu_is_shown_with_its_memory(tmp_path: Path) -> None:
    inventory = Inventory(devices=(GPU,), driver="575.1")
    finding = host_checks.check_devices(inventory, Quarantine(tmp_path))
    assert finding.verdict is Verdict.OK
    assert "0: Test GPU (79 of 80 GiB free); driver 575.1" in finding.found


def test_a_quarantined_gpu_is_shown_with_its_reason_and_cure(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.put(
        Quarantined(uuid="GPU-0", index=0, name="Test GPU", reason="Xid 95.", cure="reset it")
    )
    finding = host_checks.check_devices(Inventory(devices=(GPU,), driver="575.1"), quarantine)
    assert finding.verdict is Verdict.NOTE
    assert "Xid 95." in finding.found
    assert "reset it, then run `storyforge devices clear 0`" in finding.found


@pytest.mark.parametrize("ok", [True, False])
def test_a_hardware_encoder_is_shown_as_it_was_really_tried(*, ok: bool) -> None:
    probes = {0: NvencResult(ok=ok, reason="because")}
    finding = host_checks.check_encoders({"libx264", "aac", "h264_nvenc"}, probes)
    assert finding.verdict is Verdict.OK
    said = (
        "h264_nvenc on device 0: NVENC works" if ok else "libx264 on device 0: No NVENC: because."
    )
    assert said in finding.found


def test_an_encoder_that_was_asked_for_and_does_not_work_breaks_the_node() -> None:
    probes = {0: NvencResult(ok=False, reason="unsupported device")}
    finding = host_checks.check_encoders({"libx264", "aac"}, probes, "nvenc")
    assert finding.verdict is Verdict.BROKEN
    assert "unsupported device" in finding.found
    assert "auto" in finding.cure


def test_a_missing_encoder_breaks_the_node() -> None:
    finding = host_checks.check_encoders({"aac"}, {})
    assert finding.verdict is Verdict.BROKEN
    assert "libx264" in finding.found


def test_the_encoders_of_this_machine_are_found() -> None:
    finding = host_checks.check_encoders(host_checks.read_codecs(), {})
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


def test_devices_are_cleared_by_index_uuid_or_all(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "devices")
    for index, meant in enumerate(("0", "GPU-1", "all")):
        quarantine.put(Quarantined(uuid=f"GPU-{index}", index=index, name="X", reason="Why."))
        listed = CliRunner().invoke(app, ["devices", "list", "--data-dir", str(tmp_path)])
        assert f"Device {index} (X) is out of service. Why." in listed.output
        cleared = CliRunner().invoke(app, ["devices", "clear", meant, "--data-dir", str(tmp_path)])
        assert cleared.exit_code == 0
        assert quarantine.all() == []
    unknown = CliRunner().invoke(app, ["devices", "clear", "0", "--data-dir", str(tmp_path)])
    assert unknown.exit_code != 0
