"""What an Xid leads to."""

from __future__ import annotations

import pytest

from inference.devices.records import Device, RecoveryAction
from inference.devices.xid_catalogue import XID_CATALOGUE, XidAction
from inference.devices.xid_policy import Measure, rule_on_loss, rule_on_reading, rule_on_xid


@pytest.mark.parametrize("code", [46, 48, 62, 64, 79, 95, 109, 119, 120, 140, 143, 158])
def test_what_only_a_reset_or_a_restart_mends_is_quarantined(code: int) -> None:
    ruling = rule_on_xid(code)
    assert ruling.measure is Measure.QUARANTINE
    assert f"Xid {code} (" in ruling.reason
    assert "restart the machine" in ruling.cure


@pytest.mark.parametrize("code", [13, 31, 43, 68, 94])
def test_what_an_application_did_restarts_the_process(code: int) -> None:
    assert rule_on_xid(code).measure is Measure.RESTART_PROCESS


@pytest.mark.parametrize("code", [14, 45, 63, 92, 154, 7, 100_000])
def test_what_needs_nothing_or_is_unknown_is_noted(code: int) -> None:
    assert rule_on_xid(code).measure is Measure.NOTE


def test_a_card_off_the_bus_needs_the_machine_restarted_and_no_reset() -> None:
    assert "reset" not in rule_on_xid(79).cure


def test_every_entry_of_the_catalogue_has_a_ruling() -> None:
    for code, entry in XID_CATALOGUE.items():
        quarantined = rule_on_xid(code).measure is Measure.QUARANTINE
        gentle = entry.action in {XidAction.IGNORE, XidAction.RESTART_APP}
        assert quarantined is not gentle


@pytest.mark.parametrize(
    ("action", "quarantined"),
    [
        (None, False),
        (RecoveryAction.NONE, False),
        (RecoveryAction.DRAIN, False),
        (RecoveryAction.RESET_DEVICE, True),
        (RecoveryAction.RESTART_HOST, True),
    ],
)
def test_the_driver_s_own_wish_for_a_recovery_counts(
    action: RecoveryAction | None, *, quarantined: bool
) -> None:
    device = Device(
        index=0, uuid="u", name="n", total_bytes=1, free_bytes=1, recovery_action=action
    )
    assert (rule_on_reading(device) is not None) is quarantined
    assert rule_on_loss("Gone.").measure is Measure.QUARANTINE
