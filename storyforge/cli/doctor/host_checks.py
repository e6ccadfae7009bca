"""Checks of the machine: Python, devices, encoders, fonts, disk, memory."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from inference.devices.nvenc import NvencResult
from inference.devices.quarantine import Quarantine
from inference.devices.records import Inventory
from pipelines.encoding.encoders import Wish, choose_encoder
from storyforge.cli.doctor.findings import Finding, Verdict
from storyforge.errors import SetupProblem

_GIB = 1 << 30
# A minute of 720p film takes about 30 MB in the ladder, and the animatic and shots as much again.
_NOTE_DISK_BYTES, _BROKEN_DISK_BYTES = 5 * _GIB, _GIB // 2
_NOTE_MEMORY_BYTES = 2 * _GIB  # a whole node with its workers takes about 1 GB while it films
_MODELS_BELOW = (3, 13)  # the GPU packages have wheels for 3.11 and 3.12
_NEEDED_CODECS = ("libx264", "aac")
_NO_GPU = "No NVIDIA GPU; the storyboard renderer films on the CPU."
_DRIVER_CURE = (
    "Run nvidia-smi; reinstall the driver or restart the machine. Without a GPU the CPU films."
)
_SAMPLES: Mapping[str, str] = {
    "Latin": "a",
    "Greek": "λ",
    "Cyrillic": "ж",
    "Chinese": "森",
    "Japanese": "あ",
    "Korean": "숲",
    "Arabic": "غ",
    "Hebrew": "ש",
    "Devanagari": "अ",
}


def check_python(version: tuple[int, int, int] = sys.version_info[:3]) -> Finding:
    """The interpreter, and whether the models extra can be installed into it."""
    found = ".".join(str(part) for part in version)
    if version[:2] >= _MODELS_BELOW:
        cure = "Fine without models; for the models extra use Python 3.11 or 3.12."
        return Finding(name="python", verdict=Verdict.NOTE, found=found, cure=cure)
    return Finding(name="python", verdict=Verdict.OK, found=found)


def check_devices(reading: Inventory, quarantine: Quarantine) -> Finding:
    """The GPUs as the driver tells them, and those out of service."""
    notices = [record.notice for record in quarantine.all()]
    if reading.problem:
        notices.insert(0, f"The NVIDIA driver says: {reading.problem.rstrip('.')}.")
    cards = ", ".join(
        f"{device.index}: {device.name} ({device.free_bytes / _GIB:.0f} of "
        f"{device.total_bytes / _GIB:.0f} GiB free)"
        for device in reading.devices
    )
    found = f"{cards}; driver {reading.driver}." if cards else _NO_GPU
    if not notices:
        return Finding(name="devices", verdict=Verdict.OK, found=found)
    cure = "Each sentence above ends with what to do." if quarantine.all() else _DRIVER_CURE
    words = " ".join([*notices, found] if cards else notices)
    return Finding(name="devices", verdict=Verdict.NOTE, found=words, cure=cure)


def check_encoders(
    codecs: Collection[str], probes: Mapping[int, NvencResult], wish: Wish = "auto"
) -> Finding:
    """What the node encodes with and why. probes: NVENC as really tried, by device index."""
    missing = [name for name in _NEEDED_CODECS if name not in codecs]
    if missing:
        return Finding(
            name="encoders",
            verdict=Verdict.BROKEN,
            found=f"PyAV has no {' and no '.join(missing)}.",
            cure="Install PyAV's own wheel: pip install --force-reinstall -c constraints.txt av.",
        )
    films: Mapping[str, NvencResult | None] = {
        f"device {index}": probe for index, probe in sorted(probes.items())
    }
    said = []
    for place, probe in (films or {"the CPU": None}).items():
        try:
            choice = choose_encoder(wish, None if probe is None else partial(_found, probe))
        except SetupProblem as exc:
            cure = "Set STORYFORGE_VIDEO_ENCODER to auto."
            return Finding(name="encoders", verdict=Verdict.BROKEN, found=exc.detail, cure=cure)
        said.append(f"{choice.codec} on {place}: {choice.reason}")
    return Finding(name="encoders", verdict=Verdict.OK, found=" ".join(said))


def _found(probe: NvencResult) -> NvencResult:
    return probe


def read_codecs() -> Collection[str]:
    """The codecs that PyAV's libraries were built with."""
    import av

    return frozenset(av.codecs_available)


def check_fonts() -> Finding:
    """Which writing systems the captions can show."""
    from inference.video.storyboard.fonts import chain, face_for

    missing = [
        script
        for script, sample in _SAMPLES.items()
        if face_for(sample, tuple(chain(sample, serif=False))) is None
    ]
    if missing:
        return Finding(
            name="fonts",
            verdict=Verdict.NOTE,
            found=f"No face for {', '.join(missing)}: such captions show boxes.",
            cure="apt-get install fonts-noto-core fonts-noto-cjk",
        )
    return Finding(name="fonts", verdict=Verdict.OK, found=f"{', '.join(_SAMPLES)}.")


def check_disk(data_dir: Path) -> Finding:
    """Room where the films go."""
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    verdict = Verdict.OK
    if free_bytes < _NOTE_DISK_BYTES:
        verdict = Verdict.BROKEN if free_bytes < _BROKEN_DISK_BYTES else Verdict.NOTE
    if verdict is Verdict.OK and not os.access(place, os.W_OK):
        return Finding(
            name="disk",
            verdict=Verdict.BROKEN,
            found=f"{data_dir} cannot be written.",
            cure="Choose another folder with STORYFORGE_NODE_DATA_DIR, or change its owner.",
        )
    cure = "" if verdict is Verdict.OK else "Free some space, or move STORYFORGE_NODE_DATA_DIR."
    found = f"{free_bytes / _GIB:.1f} GiB free for {data_dir}."
    return Finding(name="disk", verdict=verdict, found=found, cure=cure)


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Finding:
    """Main memory that is available now."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        available_bytes = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return Finding(name="memory", verdict=Verdict.OK, found="This system does not tell.")
    short = available_bytes < _NOTE_MEMORY_BYTES
    return Finding(
        name="memory",
        verdict=Verdict.NOTE if short else Verdict.OK,
        found=f"{available_bytes / _GIB:.1f} GiB available.",
        cure="End other programs; the node takes about 1 GB while it films." if short else "",
    )
