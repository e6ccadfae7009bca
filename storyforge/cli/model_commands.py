"""The options of `storyforge models`."""

from __future__ import annotations

from typing import Annotated

import typer

from storyforge.cli.job_commands import DataDir

models = typer.Typer(help="The models on this host, and those it could have.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The model's short name, or its repository on the hub.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@models.command("list")
def list_them(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the catalogue, and which of it is here."""
    from storyforge.cli.model_reports import print_list
    from storyforge.cli.read_settings import read_settings

    print_list(read_settings(data_dir=data_dir), as_json=as_json)


@models.command()
def show(name: Name, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Say everything about one model: licence, sizes, defaults, memory, what is here."""
    from storyforge.cli.model_reports import print_entry
    from storyforge.cli.read_settings import read_settings

    print_entry(read_settings(data_dir=data_dir), name, as_json=as_json)


@models.command()
def pull(name: Name, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Bring a model from the hub; a broken-off pull goes on where it was."""
    from storyforge.cli.model_work import pull_model
    from storyforge.cli.read_settings import read_settings

    pull_model(read_settings(data_dir=data_dir), name, as_json=as_json)


@models.command()
def verify(name: Name, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Read every byte of a model again and compare the checksums."""
    from storyforge.cli.model_work import verify_model
    from storyforge.cli.read_settings import read_settings

    verify_model(read_settings(data_dir=data_dir), name, as_json=as_json)


@models.command()
def remove(name: Name, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Delete a model from this host, and what broken-off pulls of it left."""
    from storyforge.cli.model_work import remove_model
    from storyforge.cli.read_settings import read_settings

    remove_model(read_settings(data_dir=data_dir), name, as_json=as_json)


@models.command()
def du(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Say what the models take, and which are in use."""
    from storyforge.cli.model_reports import print_usage
    from storyforge.cli.read_settings import read_settings

    print_usage(read_settings(data_dir=data_dir), as_json=as_json)
