"""Probes NVENC by really encoding with it, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

PROBE_TIMEOUT_S = 30.0  # the driver's first start takes seconds on a machine with many GPUs
_CHILD = "inference.devices.nvenc_child"
_SHOWN_CHARS = 300


@dataclass(frozen=True)
class NvencResult:
    """Whether h264_nvenc encoded real frames on a device; reason: in words, either way."""

    ok: bool
    reason: str


def probe_nvenc(
    index: int, *, timeout_s: float = PROBE_TIMEOUT_S, child: str = _CHILD
) -> NvencResult:
    """Encode 8 frames with h264_nvenc on device `index` (PCI bus order); never raises.

    In a child, since a driver may hang or end its process. child: the module that is run.
    """
    argv = [sys.executable, "-m", child, str(index)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
            argv, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return NvencResult(ok=False, reason=f"The encoder did not answer within {timeout_s:g} s.")
    except OSError as exc:
        return NvencResult(ok=False, reason=f"The probe could not be started: {exc.strerror}.")
    return _result(done.returncode, done.stdout)


def _result(status: int, printed: str) -> NvencResult:
    lines = printed.splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
        return NvencResult(ok=bool(said["ok"]), reason=str(said["reason"])[:_SHOWN_CHARS])
    except (ValueError, KeyError, TypeError):
        return NvencResult(ok=False, reason=f"The probe ended with status {status} and no answer.")
