"""Pulls one model of the catalogue: vetted, resumed, checked, then put in place in one step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models_cache.catalogue.records import VideoEntry, WriterEntry
from models_cache.download import Download, disk_full
from models_cache.eviction import choose_evictions, used_bytes
from models_cache.file_rules import INDEX, check_json, choose_files, components, is_text
from models_cache.hub import Hub, HubFile, Listing
from models_cache.integrity import check_model
from models_cache.locks import holders, locked, write_problem
from models_cache.manifest import Manifest, ManifestFile, read_manifest, write_manifest
from models_cache.progress import Progress, Silent
from models_cache.sizes import in_words
from storyforge import clock
from storyforge.errors import DiskFull, ModelRefused, WeightsDamaged

if TYPE_CHECKING:
    from models_cache.store import ModelStore

_Entry = VideoEntry | WriterEntry


def pull_model(
    store: ModelStore, entry: _Entry, progress: Progress, keep: Collection[str]
) -> Manifest:
    """See ModelStore.pull; one pull of a model runs at a time, a second one waits for it."""
    waiting = f"Another process pulls {entry.name}; waiting for it."
    with locked(store.layout.pull_lock(entry.name), on_wait=lambda: progress.say(waiting)):
        try:
            return _Pull(store, entry, progress, keep).run()
        except OSError as exc:
            raise write_problem(exc) from exc


class _Pull:
    """One pull, under the model's pull lock."""

    def __init__(
        self, store: ModelStore, entry: _Entry, progress: Progress, keep: Collection[str]
    ) -> None:
        self._store = store
        self._entry = entry
        self._progress = progress
        self._keep = {*keep, entry.name}

    def run(self) -> Manifest:
        entry, layout = self._entry, self._store.layout
        here = self._already_here(entry.revision) if entry.is_pinned else None
        if here is not None:
            return here
        hub = Hub(self._store.hub_url, self._store.token)
        listing = hub.listing(entry.repo, entry.revision)
        here = self._already_here(listing.commit)
        if here is not None:
            return here
        staging = layout.staging(entry.name, listing.commit)
        for older in layout.stagings(entry.name):
            if older != staging:
                shutil.rmtree(older)
        staging.mkdir(parents=True, exist_ok=True)
        download = Download(hub, listing, staging, self._progress)
        try:
            files = self._vetted(download, listing, staging)
        except (ModelRefused, WeightsDamaged):
            shutil.rmtree(staging)
            raise
        self._link_what_others_have(files, staging)
        self._make_room(download.missing_bytes(files))
        records = download.run(files)
        return self._install(listing, staging, records)

    def _already_here(self, commit: str) -> Manifest | None:
        """The manifest of that commit when every file is whole; a damaged model is pulled anew."""
        layout, name = self._store.layout, self._entry.name
        try:
            manifest = read_manifest(layout.manifest(name))
            if manifest is None or manifest.commit != commit:
                return None
            check_model(layout, manifest, Silent())
        except WeightsDamaged as exc:
            self._progress.say(f"{exc.detail.split(';')[0]}. It is brought again.")
            return None
        return manifest

    def _vetted(self, download: Download, listing: Listing, staging: Path) -> Sequence[HubFile]:
        """Choose the files and look into all configurations before any weights come."""
        entry = self._entry
        by_path = {file.path: file for file in listing.files}
        folders: frozenset[str] = frozenset()
        if isinstance(entry, VideoEntry):
            if INDEX not in by_path:
                raise ModelRefused(f"{entry.name}: the repository has no {INDEX}; refused.")
            download.run([by_path[INDEX]])
            folders = components(check_json(entry.name, staging, INDEX, [INDEX]), entry)
        paths = choose_files(entry, by_path, folders)
        texts = [by_path[path] for path in paths if is_text(path)]
        self._make_room(download.missing_bytes(texts))
        download.run(texts)
        for file in texts:
            if file.path.endswith(".json"):
                check_json(entry.name, staging, file.path, paths)
        return [by_path[path] for path in paths]

    def _link_what_others_have(self, files: Sequence[HubFile], staging: Path) -> None:
        """Share a file that another model has (text encoders are large) instead of pulling it."""
        wanted = {
            file.sha256: staging / file.path
            for file in files
            if file.sha256 and not (staging / file.path).exists()
        }
        for other in self._store.models() if wanted else ():
            for file in other.manifest.files:
                target = wanted.get(file.sha256)
                source = other.path / file.path
                if target is None or target.exists() or source.is_symlink():
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, target)  # the download checks its bytes like any other's
                except OSError:
                    continue  # a file system without links, or gone meanwhile: it is pulled
                self._progress.say(f"{file.path} is shared with {other.name}.")

    def _make_room(self, needs_bytes: int) -> None:
        """Evict within the budget, then ask the disk. Raises DiskFull saying what is missing."""
        store, name = self._store, self._entry.name
        if store.budget_bytes:
            held = store.held(self._keep)
            names, missing = choose_evictions(held, needs_bytes, store.budget_bytes)
            if missing:
                raise DiskFull(
                    f"{name} does not fit into the budget of {in_words(store.budget_bytes)}: "
                    f"{in_words(missing)} more are needed, and the other models are in use or do "
                    f"not suffice ({in_words(used_bytes(held))} held). Raise "
                    "STORYFORGE_MODELS_BUDGET_GB."
                )
            for one in names:
                self._evict(one)
        free_bytes = shutil.disk_usage(store.layout.root).free - store.reserve_bytes
        if needs_bytes > free_bytes:
            raise disk_full(needs_bytes - free_bytes, name)

    def _evict(self, name: str) -> None:
        with locked(self._store.layout.lock):
            if holders(self._store.layout.pins(name)):
                return  # opened in this moment; the disk's own check still follows
            freed = self._store.delete(name)
        self._progress.say(f"{name} was removed to make room ({in_words(freed)}).")

    def _install(
        self, listing: Listing, staging: Path, records: Sequence[ManifestFile]
    ) -> Manifest:
        entry, layout = self._entry, self._store.layout
        manifest = Manifest(
            name=entry.name,
            repo=entry.repo,
            revision=entry.revision,
            commit=listing.commit,
            pulled_at=clock.utc_now(),
            files=tuple(records),
        )
        target = layout.model(entry.name, listing.commit)
        with locked(layout.lock):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                # Damaged, and whoever has it loaded keeps the old files open.
                shutil.rmtree(target)
            staging.replace(target)
            write_manifest(layout.manifest(entry.name), manifest)
            used = layout.used(entry.name)
            used.parent.mkdir(parents=True, exist_ok=True)
            used.touch()
            self._drop_older_commits(target)
        return manifest

    def _drop_older_commits(self, current: Path) -> None:
        if holders(self._store.layout.pins(self._entry.name)):
            return  # someone may still load from there; the next pull clears it
        prefix = current.name.rsplit("@", 1)[0]
        for folder in current.parent.glob(f"{prefix}@*"):
            if folder != current:
                shutil.rmtree(folder)
