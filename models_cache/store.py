"""The model store: what is there, opening it whole and offline, pulling, removing, room."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from models_cache.catalogue.read import Catalogue, read_catalogue
from models_cache.eviction import Held
from models_cache.integrity import check_model
from models_cache.layout import Layout
from models_cache.locks import Pin, holders, locked, pin
from models_cache.manifest import Manifest, read_manifest
from models_cache.names import folder_of, model_name, same_but_for_case
from models_cache.progress import Progress, Silent
from storyforge.errors import Conflict, InvalidInput, NotFound
from storyforge.settings import Settings


@dataclass(frozen=True)
class Kept:
    """A complete model in the store. holders: processes that have it pinned."""

    manifest: Manifest
    path: Path
    last_used_ns: int
    holders: tuple[int, ...]
    blocks: dict[int, int]

    @property
    def name(self) -> str:
        """Its short name."""
        return self.manifest.name


class ModelStore:
    """All models of this host under one folder; several processes may use it at once.

    root: the folder. budget_bytes: what models may take together; 0 for no limit. hub_url, token:
    see models_cache.hub.Hub. reserve_bytes: free space of the disk that a pull leaves alone.
    """

    def __init__(
        self,
        root: Path,
        budget_bytes: int = 0,
        hub_url: str = "",
        token: str = "",
        reserve_bytes: int = 1 << 30,
    ) -> None:
        self.layout = Layout(root)
        self.budget_bytes = budget_bytes
        self.hub_url = hub_url
        self.token = token
        self.reserve_bytes = reserve_bytes

    @property
    def catalogue(self) -> Catalogue:
        """The known models, the operator's own included; read anew each time."""
        return read_catalogue(self.layout.own_catalogue)

    def models(self) -> Sequence[Kept]:
        """The complete models, by name."""
        if not self.layout.manifests.is_dir():
            return ()
        with locked(self.layout.lock):
            return tuple(
                self._kept(manifest)
                for path in sorted(self.layout.manifests.glob("*.json"))
                if (manifest := read_manifest(path)) is not None
            )

    def manifest(self, name: str) -> Manifest:
        """The record of a complete model. Raises InvalidInput, NotFound and WeightsDamaged."""
        short = self.short_name(name)
        found = read_manifest(self.layout.manifest(short))
        if found is None:
            raise NotFound(
                f"The model '{short}' is not in the store; pull it: storyforge models pull {short}."
            )
        return found

    def open(self, name: str, progress: Progress | None = None) -> Path:
        """The folder of a whole model, for a loader; never touches the network.

        Every file must be there, inside the store, of its recorded size and checksum (remembered
        by size and times, so an unchanged file is not read again), and nothing else. The model
        counts as used now. Raises NotFound, and WeightsDamaged naming the file.
        """
        with locked(self.layout.lock, shared=True):
            manifest = self.manifest(name)
        path = check_model(self.layout, manifest, progress or Silent())
        _touch(self.layout.used(manifest.name))
        return path

    def verify(self, name: str, progress: Progress | None = None) -> Manifest:
        """Read every byte again. Raises as `open`; gives the record when all is well."""
        manifest = self.manifest(name)
        check_model(self.layout, manifest, progress or Silent(), trust_stamps=False)
        return manifest

    def pin(self, name: str) -> Pin:
        """Say that this process needs the model; it is neither evicted nor removed until then.

        Pin before opening. The pin ends with its release or with the process, however that ends.
        """
        with locked(self.layout.lock):
            return pin(self.layout.pins(self.manifest(name).name))

    def pull(
        self, name: str, progress: Progress | None = None, keep: Collection[str] = ()
    ) -> Manifest:
        """Bring a model of the catalogue, or what is missing of it.

        keep: names that queued jobs need; they are not evicted for it. Raises InvalidInput,
        NotFound, ModelRefused, WeightsDamaged, DiskFull, Forbidden, Unavailable and SetupProblem.
        """
        # The hub's client takes half a second to import, and only a pull needs it.
        from models_cache.pull import pull_model  # noqa: PLC0415 - lazy, see above

        return pull_model(self, self.catalogue.find(name), progress or Silent(), keep)

    def remove(self, name: str) -> int:
        """Delete a model and what is left of its pulls; gives the bytes that became free.

        Raises NotFound when there is nothing, and Conflict while a process uses it.
        """
        short = self.short_name(name)
        with locked(self.layout.pull_lock(short)), locked(self.layout.lock):
            stagings = self.layout.stagings(short)
            if not self.layout.manifest(short).exists() and not stagings:
                raise NotFound(f"The model '{short}' is not in the store.")
            users = holders(self.layout.pins(short))
            if users:
                raise Conflict(
                    f"The model '{short}' is in use by process {users[0]}; stop that first."
                )
            freed = sum(_freed_bytes(folder) for folder in stagings)
            for folder in stagings:
                shutil.rmtree(folder)
            return freed + self.delete(short)

    def delete(self, name: str) -> int:
        """Delete a complete model's files and records; only under the store's lock."""
        folders = sorted((self.layout.root / "models").glob(f"{folder_of(name)}@*"))
        freed = sum(_freed_bytes(folder) for folder in folders)
        self.layout.manifest(name).unlink(missing_ok=True)  # first: half a model is none
        for folder in folders:
            shutil.rmtree(folder)
        self.layout.checked(name).unlink(missing_ok=True)
        self.layout.used(name).unlink(missing_ok=True)
        return freed

    def staging_bytes(self) -> int:
        """What unfinished pulls take."""
        return sum(_blocks(self.layout.root / "staging").values())

    def held(self, keep: Collection[str]) -> Sequence[Held]:
        """The models as the eviction sees them, unfinished pulls as one that stays."""
        needed = {self.short_name(name) for name in keep}
        unfinished = Held("", _blocks(self.layout.root / "staging"), 0, needed=True)
        return [
            unfinished,
            *(
                Held(
                    one.name, one.blocks, one.last_used_ns, bool(one.holders) or one.name in needed
                )
                for one in self.models()
            ),
        ]

    def short_name(self, name: str) -> str:
        """The catalogue's name for a name or repository id; a model that left it keeps its own.

        Raises InvalidInput for an illegal name, and for one that differs in case from a known one.
        """
        wanted = model_name(name)
        entries = self.catalogue.entries
        if wanted in entries or self.layout.manifest(wanted).exists():
            twin = same_but_for_case(wanted, list(entries))
            if twin is None:
                return wanted
            raise InvalidInput(f"No model is named '{wanted}'; did you mean '{twin}'?")
        by_repo = [entry.name for entry in entries.values() if entry.repo == wanted]
        return by_repo[0] if by_repo else wanted

    def _kept(self, manifest: Manifest) -> Kept:
        path = self.layout.model(manifest.name, manifest.commit)
        used = self.layout.used(manifest.name)
        return Kept(
            manifest=manifest,
            path=path,
            last_used_ns=used.stat().st_mtime_ns if used.exists() else 0,
            holders=tuple(holders(self.layout.pins(manifest.name))),
            blocks=_blocks(path),
        )


def model_store(settings: Settings) -> ModelStore:
    """The store that the settings describe; touches nothing yet."""
    return ModelStore(
        settings.models_dir,
        budget_bytes=int(settings.models.budget_gb * 10**9),
        hub_url=settings.models.hub_url,
        token=settings.models.token,
    )


def _touch(path: Path) -> None:
    """Note the time; on a full or read-only disk nothing is noted, and nothing is evicted there."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _blocks(folder: Path) -> dict[int, int]:
    """Bytes of every file below, by inode; links are not followed."""
    found: dict[int, int] = {}
    for place, _folders, names in os.walk(folder):
        for name in names:
            status = Path(place, name).lstat()
            found[status.st_ino] = status.st_size
    return found


def _freed_bytes(folder: Path) -> int:
    """What deleting the folder frees: files that no other model shares."""
    return sum(
        status.st_size
        for place, _folders, names in os.walk(folder)
        for name in names
        if (status := Path(place, name).lstat()).st_nlink == 1
    )
