"""The options of `storyforge jobs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

jobs = typer.Typer(help="Jobs, and the dead letters among them.", no_args_is_help=True)

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the node keeps everything (STORYFORGE_NODE_DATA_DIR)."),
]
JobId = Annotated[str, typer.Argument(help="The job's id.")]


@jobs.command("list")
def list_them(
    dead: Annotated[bool, typer.Option("--dead", help="Only the dead letters.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """List the newest jobs."""
    from storyforge.cli.dead_letters import in_one_line, list_jobs
    from storyforge.cli.read_settings import read_settings

    found = list_jobs(read_settings(data_dir=data_dir), dead=dead, limit=limit)
    for job in found:
        print(in_one_line(job))
    if not found:
        print("No dead letters." if dead else "No jobs.")


@jobs.command()
def retry(job_id: JobId, data_dir: DataDir = None) -> None:
    """Run a failed or held job again, from its first unfinished stage."""
    from storyforge.cli.dead_letters import in_one_line, retry_job
    from storyforge.cli.read_settings import read_settings

    print(in_one_line(retry_job(read_settings(data_dir=data_dir), job_id)))


@jobs.command()
def discard(job_id: JobId, data_dir: DataDir = None) -> None:
    """Take a failed job off the dead letters."""
    from storyforge.cli.dead_letters import discard_job, in_one_line
    from storyforge.cli.read_settings import read_settings

    print(in_one_line(discard_job(read_settings(data_dir=data_dir), job_id)))
