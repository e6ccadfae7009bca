"""Pulls, verifies and removes models for the command line, with progress bars."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

from models_cache.catalogue.records import BRANCH
from models_cache.sizes import in_words
from models_cache.store import model_store
from storyforge.settings import Settings


class Bars:
    """A progress bar on standard error while inside; lines of text above it."""

    def __init__(self) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bars.add_task("", total=None, visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, doing: str, total_bytes: int, done_bytes: int) -> None:
        """Start the bar anew."""
        self._bars.reset(
            self._task,
            total=total_bytes,
            completed=done_bytes,
            description=doing,
            visible=True,
        )

    def advance(self, count: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task, count)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bars.console.print(text, markup=False, highlight=False)


def pull_model(settings: Settings, name: str, *, as_json: bool) -> None:
    """Pull and say what is here now."""
    store = model_store(settings)
    entry = store.catalogue.find(name)
    with Bars() as bars:
        if entry.licence_limits:
            bars.say(f"Licence: {entry.licence}. {entry.licence_limits}")
        manifest = store.pull(entry.name, bars, keep=_configured(settings))
    if as_json:
        print(json.dumps(manifest.to_json(), indent=2))
        return
    print(
        f"{manifest.name} is here: {len(manifest.files)} files, {in_words(manifest.total_bytes)}, "
        f"commit {manifest.commit}."
    )
    if manifest.revision == BRANCH:
        print("The catalogue knows no commit of it; this one is recorded.")


def _configured(settings: Settings) -> Sequence[str]:
    """The store's models that queued jobs will need: whatever the settings write and film with.

    A job names no model itself; so these stay, even while no worker has them loaded.
    """
    named = (settings.video.model, settings.writer.model)
    return [one for one in named if one and not Path(one).is_dir()]


def verify_model(settings: Settings, name: str, *, as_json: bool) -> None:
    """Check all bytes; a damaged model is an error."""
    with Bars() as bars:
        manifest = model_store(settings).verify(name, bars)
    if as_json:
        print(json.dumps({"name": manifest.name, "files": len(manifest.files), "whole": True}))
    else:
        print(f"{manifest.name} is whole: {len(manifest.files)} files.")


def remove_model(settings: Settings, name: str, *, as_json: bool) -> None:
    """Remove and say what became free."""
    freed_bytes = model_store(settings).remove(name)
    if as_json:
        print(json.dumps({"name": name, "freedBytes": freed_bytes}))
    else:
        print(f"{name} is removed; {in_words(freed_bytes)} are free again.")
