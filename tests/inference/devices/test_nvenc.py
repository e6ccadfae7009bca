"""The NVENC probe answers, whatever its child does."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.devices.nvenc import probe_nvenc
from inference.devices.nvml_reader import NvmlReader, load_nvml

HAS_GPU = bool(NvmlReader(load_nvml()).inventory().devices)


def _child(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> str:
    (folder / "odd_child.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return "odd_child"


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU, whose encoder may work")
def test_without_a_driver_the_real_probe_says_no_and_why() -> None:
    result = probe_nvenc(0)
    assert not result.ok
    assert "CUDA" in result.reason


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = _child(tmp_path, monkeypatch, "import time\ntime.sleep(60)\n")
    result = probe_nvenc(0, timeout_s=0.5, child=child)
    assert not result.ok
    assert "within 0.5 s" in result.reason


@pytest.mark.parametrize(
    "body",
    ["import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "print('hello')", "print('{}')"],
)
def test_a_child_that_dies_or_babbles_is_no_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    result = probe_nvenc(0, child=_child(tmp_path, monkeypatch, body))
    assert not result.ok
    assert "no answer" in result.reason


def test_a_child_that_encoded_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import json, sys\nprint(json.dumps({'ok': True, 'reason': 'on ' + sys.argv[1]}))"
    result = probe_nvenc(3, child=_child(tmp_path, monkeypatch, body))
    assert (result.ok, result.reason) == (True, "on 3")
