"""Show how a film is coming along: bars on a terminal, plain lines otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from storyforge.cli.filming import JobView

_MESSAGE_CHARS = 44


class FilmProgress(Protocol):
    """Told of every look at a job."""

    def show(self, view: JobView) -> None:
        """Bring the display up to date."""
        ...


class BarProgress:
    """One bar for each continuation."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[int, TaskID] = {}

    def show(self, view: JobView) -> None:
        """Move the continuation's bar; all bars are there from the first look."""
        for number in range(1, view.count + 1):
            if number not in self._bars:
                self._bars[number] = self._progress.add_task(
                    f"Part {number} of {view.count}", total=100, start=False, said="waiting"
                )
        bar = self._bars[view.number]
        self._progress.start_task(bar)
        self._progress.update(bar, completed=view.progress, said=_said(view)[:_MESSAGE_CHARS])
        if view.progress >= 100:  # noqa: PLR2004  percent
            self._progress.stop_task(bar)


class LineProgress:
    """One line whenever a job's status or stage changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[int, str, str] | None = None

    def show(self, view: JobView) -> None:
        """Print a line if there is something new to say."""
        now = (view.number, view.status.value, view.stage)
        if now != self._last:
            self._last = now
            self._console.print(
                f"part {view.number}/{view.count}  {view.progress:3d} %  {_said(view)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


@contextmanager
def film_progress(console: Console) -> Iterator[FilmProgress]:
    """The display that fits the console."""
    if not console.is_terminal:
        yield LineProgress(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[said]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield BarProgress(progress)


def _said(view: JobView) -> str:
    words = view.status.value.replace("_", " ")
    return f"{words}: {view.message}" if view.message else words
