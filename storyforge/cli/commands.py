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


@app.command(
    help="Measure this machine's card, or --compare two profiles.\n\nModels that are not pulled are "
    "measured with random weights, which changes no timing. Needs no node, database or broker."
)
def bench(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model of the catalogue, tiny-wan, tiny-ltx, or a folder; may be repeated."
        ),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(help="Width, height, frames, e.g. 832x480x81; may be repeated."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Instead of the model's own.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="How many run back to back; 0: none.")] = 3,
    fused: Annotated[int, typer.Option(min=1, help="The most clips tried in one pass.")] = 2,
    naive: Annotated[bool, typer.Option(help="Film with plain diffusers too.")] = True,
    vae: Annotated[bool, typer.Option(help="Decode in the other precision too.")] = True,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Even for models that are pulled.")
    ] = False,
    quality: Annotated[str, typer.Option(help="Quality preset of the models.")] = "exact",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    out: Annotated[Path, typer.Option(help="Folder for the profile and the result card.")] = Path(
        "out/bench"
    ),
    keep: Annotated[bool, typer.Option(help="Keep the profile for the node to use.")] = True,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Two profiles; nothing is measured.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Measure this machine's card."""
    from rich.console import Console

    from storyforge.cli.bench.command import BenchWish, run
    from storyforge.cli.bench.compare import show_comparison
    from storyforge.cli.read_settings import read_settings
    from storyforge.profile_files import read_profile

    if compare is not None:
        show_comparison(read_profile(compare[0]), read_profile(compare[1]), Console())
        return
    wish = BenchWish(
        models=model or (),
        sizes=size or (),
        steps=steps,
        jobs=jobs,
        fused=fused,
        naive=naive,
        vae=vae,
        random_weights=random_weights,
        quality=quality,
        device=device,
        out=out,
        keep=keep,
    )
    run(read_settings(data_dir=data_dir), wish, Console())


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
