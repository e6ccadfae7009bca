"""NVIDIA's catalogue of Xid errors, as far as it names an action for a compute node.

Source: docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, column "Resolution Bucket
(Immediate Action)" for A100, H100, B100 and GB200, read in November 2026. Codes that the catalogue
calls unused, and those that only NVLink fabrics, displays or virtual GPUs report, are left out. For
48 the bucket is a workflow whose text says that a reset or reboot is needed; for 45 the workflow
says to follow the other Xid; 154 repeats what NVML's recovery action says, which is read anyhow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class XidAction(StrEnum):
    """The catalogue's immediate actions."""

    IGNORE = "IGNORE"
    RESTART_APP = "RESTART_APP"
    RESET_GPU = "RESET_GPU"
    RESTART_BM = "RESTART_BM"  # restart the bare-metal host
    CHECK_MECHANICALS = "CHECK_MECHANICALS"


@dataclass(frozen=True)
class XidEntry:
    """One code: what it is, and what the catalogue says to do at once."""

    words: str
    action: XidAction


_I, _A, _R, _B = (
    XidAction.IGNORE,
    XidAction.RESTART_APP,
    XidAction.RESET_GPU,
    XidAction.RESTART_BM,
)
_COPY_ENGINES = (39, 40, 41, 70, 71, 72, 75, 76, 77, 85, *range(126, 136))
_VIDEO_ENGINES = (60, 68, 82, 83, 84, 86, 88, 89, *range(96, 106), 139)

XID_CATALOGUE: Mapping[int, XidEntry] = {
    **{code: XidEntry("copy engine error", _A) for code in _COPY_ENGINES},
    **{code: XidEntry("video engine error", _A) for code in _VIDEO_ENGINES},
    8: XidEntry("GPU stopped processing", _A),
    11: XidEntry("invalid push buffer stream", _A),
    13: XidEntry("graphics engine exception", _A),
    14: XidEntry("injected test error", _I),
    25: XidEntry("illegal push buffer stream", _A),
    31: XidEntry("GPU memory page fault", _A),
    32: XidEntry("corrupted push buffer stream", _A),
    37: XidEntry("driver firmware error", _I),
    38: XidEntry("driver firmware watchdog", _I),
    # The catalogue ignores 43 since the GPU stays sound; the application that hit it must end.
    43: XidEntry("application fault, its channel was reset", _I),
    44: XidEntry("engine fault during a context switch", _I),
    45: XidEntry("clean-up after an application ended", _I),
    46: XidEntry("GPU stopped processing", _R),
    48: XidEntry("double-bit ECC error", _R),
    54: XidEntry("auxiliary power is not connected", XidAction.CHECK_MECHANICALS),
    62: XidEntry("internal micro-controller halt", _R),
    63: XidEntry("memory row remapped", _I),
    64: XidEntry("memory row could not be remapped", _R),
    66: XidEntry("illegal access by the driver", _I),
    67: XidEntry("illegal access by the driver", _I),
    69: XidEntry("graphics engine class error", _A),
    79: XidEntry("GPU has fallen off the bus", _B),
    80: XidEntry("corrupted data sent to the GPU", _A),
    92: XidEntry("high rate of single-bit ECC errors", _I),
    93: XidEntry("InfoROM wear limit", _I),
    94: XidEntry("contained memory error", _A),
    95: XidEntry("uncontained memory error", _R),
    109: XidEntry("context switch timeout", _R),
    110: XidEntry("security fault", _R),
    119: XidEntry("GPU system processor timeout", _R),
    120: XidEntry("GPU system processor error", _R),
    121: XidEntry("corrected chip-to-chip error", _I),
    140: XidEntry("unrecovered ECC error", _R),
    141: XidEntry("fast path error", _I),
    143: XidEntry("GPU initialisation error", _R),
    154: XidEntry("recovery action changed", _I),
    156: XidEntry("resource retired", _R),
    157: XidEntry("resource could not be retired", _I),
    158: XidEntry("GPU fatal timeout", _R),
    160: XidEntry("channel retired", _I),
    161: XidEntry("channel could not be retired", _I),
}
