"""Where the store keeps what, under its one root folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models_cache.names import folder_of

_COMMIT_SHOWN = 12


@dataclass(frozen=True)
class Layout:
    """The folders of a store.

    A model lies in `models/<name>@<commit>`, with plain files only, so that loaders read it like
    any local folder. What is not there when it is complete lies beside it: a pull works in
    `staging`, and records, locks and pins have folders of their own.
    """

    root: Path

    def model(self, name: str, commit: str) -> Path:
        """The finished files of one model."""
        return self.root / "models" / f"{folder_of(name)}@{commit[:_COMMIT_SHOWN]}"

    def staging(self, name: str, commit: str) -> Path:
        """The unfinished files of one pull; they outlive the process."""
        return self.root / "staging" / f"{folder_of(name)}@{commit[:_COMMIT_SHOWN]}"

    def stagings(self, name: str) -> list[Path]:
        """What pulls of any commit of a model have left."""
        return sorted((self.root / "staging").glob(f"{folder_of(name)}@*"))

    @property
    def manifests(self) -> Path:
        """One JSON file per model that is complete."""
        return self.root / "manifests"

    def manifest(self, name: str) -> Path:
        """The record of a complete model: its files and their checksums."""
        return self.manifests / f"{folder_of(name)}.json"

    def checked(self, name: str) -> Path:
        """Which files were found whole, by size and times."""
        return self.root / "checked" / f"{folder_of(name)}.json"

    def used(self, name: str) -> Path:
        """An empty file whose time says when the model was last opened."""
        return self.root / "used" / folder_of(name)

    def pins(self, name: str) -> Path:
        """A folder with one locked file per holder."""
        return self.root / "pins" / folder_of(name)

    @property
    def lock(self) -> Path:
        """Held for moments, while models appear or vanish."""
        return self.root / "locks" / "store.lock"

    def pull_lock(self, name: str) -> Path:
        """Held for as long as a pull of the model takes."""
        return self.root / "locks" / f"pull-{folder_of(name)}.lock"

    @property
    def own_catalogue(self) -> Path:
        """The operator's own entries, as TOML files."""
        return self.root / "catalogue"
