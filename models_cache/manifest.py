"""The record of a complete model: which files, how long, which checksums."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from storyforge.domain.wire import Wire
from storyforge.errors import WeightsDamaged


class ManifestFile(Wire):
    """One file; path is relative to the model's folder, with forward slashes."""

    path: str
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(Wire):
    """What a pull brought. revision: as asked for; commit: what the hub made of it."""

    name: str
    repo: str
    revision: str
    commit: str
    pulled_at: datetime
    files: tuple[ManifestFile, ...]

    @property
    def total_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def read_manifest(path: Path) -> Manifest | None:
    """The manifest; None when there is none. Raises WeightsDamaged when it cannot be read."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as exc:
        raise WeightsDamaged(
            f"The record of the model '{path.stem}' cannot be read; pull the model again."
        ) from exc


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it whole or not at all."""
    write_whole(path, json.dumps(manifest.to_json(), indent=1))


def write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step, on the disk before the name changes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
