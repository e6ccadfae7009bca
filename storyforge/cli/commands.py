"""The commands and their options; what a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="storyforge",
    help="Turn story continuations into playable film, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the node keeps everything (STORYFORGE_NODE_DATA_DIR)."),
]
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
