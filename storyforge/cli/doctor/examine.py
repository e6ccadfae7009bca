"""Run every check of the doctor, each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from inference.devices.nvenc import probe_nvenc
from inference.devices.nvml_reader import NvmlReader, load_nvml
from inference.devices.quarantine import Quarantine
from storyforge.cli.doctor import host_checks, model_checks, node_checks, writer_checks
from storyforge.cli.doctor.findings import Finding
from storyforge.settings import Settings


def examine(settings: Settings) -> Sequence[Finding]:
    """Everything that the doctor knows to look at; takes a few seconds, changes nothing."""
    reading = NvmlReader(load_nvml()).inventory()
    probes = {device.index: probe_nvenc(device.index) for device in reading.devices}
    return (
        host_checks.check_python(),
        host_checks.check_devices(reading, Quarantine(settings.quarantine_dir)),
        host_checks.check_encoders(host_checks.read_codecs(), probes, settings.video.encoder),
        host_checks.check_fonts(),
        host_checks.check_disk(settings.node.data_dir.resolve()),
        host_checks.check_memory(),
        model_checks.check_models(settings, reading),
        writer_checks.check_writer(settings, reading),
        node_checks.check_database(settings),
        node_checks.check_broker(settings),
        node_checks.check_store(settings),
        node_checks.check_page_assets(_vendor_folder()),
        node_checks.check_node(settings),
    )


def _vendor_folder() -> Path:
    spec = find_spec("api")  # found, not imported: the doctor needs the place only
    origin = spec.origin if spec is not None else None
    return Path(origin or "api/__init__.py").parent / "static" / "vendor"
