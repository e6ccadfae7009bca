"""The options of `storyforge devices`."""

from __future__ import annotations

from typing import Annotated

import typer

from storyforge.cli.job_commands import DataDir

devices = typer.Typer(help="The GPUs that film, and those out of service.", no_args_is_help=True)


@devices.command("list")
def list_them(data_dir: DataDir = None) -> None:
    """List the GPUs, how they are doing, and why one is out of service."""
    from inference.devices.nvml_reader import NvmlReader, load_nvml
    from storyforge.cli.devices_in_service import describe, open_quarantine
    from storyforge.cli.read_settings import read_settings

    settings = read_settings(data_dir=data_dir)
    inventory = NvmlReader(load_nvml()).inventory()
    for line in describe(inventory, open_quarantine(settings)):
        print(line)


@devices.command()
def clear(
    device: Annotated[str, typer.Argument(help="Index or UUID of the device, or `all`.")],
    data_dir: DataDir = None,
) -> None:
    """Put a device back into service, after what was wrong with it has been mended."""
    from storyforge.cli.devices_in_service import clear_quarantine, open_quarantine
    from storyforge.cli.read_settings import read_settings

    settings = read_settings(data_dir=data_dir)
    for line in clear_quarantine(open_quarantine(settings), device):
        print(line)
