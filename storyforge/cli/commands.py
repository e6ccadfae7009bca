"""The commands and their options; what a command needs is imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from storyforge.cli.device_commands import devices
from storyforge.cli.job_commands import DataDir, jobs
from storyforge.cli.model_commands import models

app = typer.Typer(
    name="storyforge",
    help="Turn story continuations into playable film, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(jobs, name="jobs")
app.add_typer(devices, name="devices")
app.add_typer(models, name="models")

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port of the API; 0: any free one (STORYFORGE_NODE_PORT)."),
]


@app.command()
def up(data_dir: DataDir = None, port: Port = None) -> None:
    """Run the node in the foreground until Ctrl-C or SIGTERM."""
    from storyforge.cli.node import run_node
    from storyforge.cli.read_settings import read_settings

    run_node(read_settings(data_dir=data_dir, port=port), lambda line: print(line, flush=True))


@db.command("upgrade")
def db_upgrade(data_dir: DataDir = None) -> None:
    """Bring the database's schema to the newest revision."""
    from storyforge.cli.database_commands import upgrade_database
    from storyforge.cli.read_settings import read_settings

    print(upgrade_database(read_settings(data_dir=data_dir)))


@app.command()
def film(
    text: Annotated[str, typer.Argument(help="What happens; `-` reads it from standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The MP4 file to write.")],
    seconds: Annotated[
        float | None,
        typer.Option(min=1.0, help="Length of the film; without it, as long as reading takes."),
    ] = None,
    style: Annotated[str, typer.Option(help="Style preset, e.g. storybook or noir.")] = "storybook",
    title: Annotated[str, typer.Option(help="Title of the scene.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Film one text into an MP4 file."""
    from rich.console import Console

    from storyforge.cli.film import FilmWish, make_film
    from storyforge.cli.read_settings import read_settings

    words = sys.stdin.read() if text == "-" else text
    wish = FilmWish(words, output, seconds, style, title, force)
    make_film(read_settings(data_dir=data_dir), wish, Console())


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the film and its contact sheet.")] = Path(
        "out"
    ),
    data_dir: DataDir = None,
    port: Port = None,
) -> None:
    """Film a short story end to end; keeps serving it when run on a terminal."""
    from rich.console import Console

    from storyforge.cli.demo import run_demo
    from storyforge.cli.read_settings import read_settings

    run_demo(read_settings(data_dir=data_dir, port=port), out, Console())


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Say what this machine has and what to do about what it lacks; exit 1 when it cannot work."""
    import json

    from rich.console import Console

    from storyforge.cli.doctor.examine import examine
    from storyforge.cli.doctor.findings import is_healthy, show
    from storyforge.cli.read_settings import read_settings

    findings = examine(read_settings(data_dir=data_dir))
    if as_json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2))
    else:
        show(findings, Console())
    if not is_healthy(findings):
        raise typer.Exit(1)
