"""Which devices are out of service and why: a small file each, until their owner clears it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from storyforge.domain.wire import Wire

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9-]")


class Quarantined(Wire):
    """One device out of service. reason: a sentence. cure: what its owner does first."""

    uuid: str
    index: int
    name: str
    reason: str
    cure: str = ""
    since: datetime | None = None

    @property
    def notice(self) -> str:
        """What happened and what to do, for people."""
        cure = self.cure or "find out why"
        which = self.uuid if self.index < 0 else str(self.index)
        return (
            f"Device {which} ({self.name}) is out of service. {self.reason} To use it again: "
            f"{cure}, then run `storyforge devices clear {which}`."
        )


class Quarantine:
    """The records in one folder; it outlives the node, since a restart mends no hardware."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, record: Quarantined) -> None:
        """Take a device out of service; the first reason stays."""
        path = self._path(record.uuid)
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        written = path.with_suffix(f".{os.getpid()}.tmp")
        with written.open("w") as file:
            file.write(record.model_dump_json(by_alias=True))
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)

    def find(self, uuid: str) -> Quarantined | None:
        """The record of a device; None when it may work."""
        path = self._path(uuid)
        return _read(path) if path.exists() else None

    def all(self) -> Sequence[Quarantined]:
        """Every device out of service, by index."""
        found = [_read(path) for path in self._folder.glob("*.json")]
        return sorted(found, key=lambda one: (one.index, one.uuid))

    def clear(self, uuid: str) -> None:
        """Put a device back into service."""
        self._path(uuid).unlink(missing_ok=True)

    def _path(self, uuid: str) -> Path:
        return self._folder / f"{_NOT_A_NAME.sub('_', uuid)}.json"


def _read(path: Path) -> Quarantined:
    """A record; one that cannot be read still keeps its device out of service."""
    try:
        return Quarantined.model_validate_json(path.read_text())
    except (OSError, ValidationError):
        return Quarantined(
            uuid=path.stem, index=-1, name=path.stem, reason="Its record cannot be read."
        )
