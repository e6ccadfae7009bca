"""A quarantined device stays out of service until it is cleared."""

from __future__ import annotations

from pathlib import Path

from inference.devices.quarantine import Quarantine, Quarantined

RECORD = Quarantined(uuid="GPU-a", index=3, name="Card", reason="Xid 95.", cure="reset the GPU")


def test_a_record_outlives_its_writer_and_is_cleared_by_hand(tmp_path: Path) -> None:
    Quarantine(tmp_path / "q").put(RECORD)
    later = Quarantine(tmp_path / "q")
    assert later.find("GPU-a") == RECORD
    assert later.find("GPU-b") is None
    later.clear("GPU-a")
    assert later.find("GPU-a") is None
    assert later.all() == []


def test_the_first_reason_stays(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.put(RECORD)
    quarantine.put(RECORD.model_copy(update={"reason": "Xid 45."}))
    assert quarantine.find("GPU-a") == RECORD


def test_a_damaged_record_still_keeps_its_device_out(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.put(RECORD)
    (tmp_path / "GPU-a.json").write_text("{")
    found = quarantine.find("GPU-a")
    assert found is not None
    assert found.uuid == "GPU-a"
    assert "cannot be read" in found.notice
    assert "devices clear GPU-a" in found.notice


def test_a_uuid_is_never_a_path(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.put(RECORD.model_copy(update={"uuid": "../../x"}))
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "q"]


def test_the_notice_says_what_happened_and_what_to_do() -> None:
    assert RECORD.notice == (
        "Device 3 (Card) is out of service. Xid 95. To use it again: reset the GPU, then run "
        "`storyforge devices clear 3`."
    )
