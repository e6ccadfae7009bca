"""Checks that a model's folder holds exactly what its manifest says, byte for byte."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models_cache.checksums import Stamp, read_stamps, sha256_of, stamp_of
from models_cache.layout import Layout
from models_cache.manifest import Manifest, ManifestFile, write_whole
from models_cache.names import inside
from models_cache.progress import Progress
from storyforge.errors import WeightsDamaged

_THREADS = 4  # checksums run outside the interpreter's lock


def check_model(
    layout: Layout, manifest: Manifest, progress: Progress, *, trust_stamps: bool = True
) -> Path:
    """The model's folder, checked. Raises WeightsDamaged naming the first file that is wrong.

    trust_stamps: do not read a file again whose size and times are those of its last good check.
    """
    name = manifest.name
    folder = inside(layout.root, layout.model(name, manifest.commit), name)
    _refuse_strangers(folder, manifest)
    known = read_stamps(layout.checked(name)) if trust_stamps else {}
    stamps: dict[str, Stamp] = {}
    to_read: list[tuple[ManifestFile, Path]] = []
    for file in manifest.files:
        real = inside(layout.root, folder / file.path, name)
        if not real.is_file() or real.stat().st_size != file.size_bytes:
            raise _damaged(manifest, file.path, "has another size than when it was pulled")
        stamps[file.path] = stamp_of(real)  # before reading: a write meanwhile must show
        if known.get(file.path) != stamps[file.path]:
            to_read.append((file, real))
    if to_read:
        progress.begin("check", sum(file.size_bytes for file, _real in to_read), 0)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="check") as pool:
            found = pool.map(lambda one: sha256_of(one[1], progress.advance), to_read)
            for (file, _real), checksum in zip(to_read, found, strict=True):
                if checksum != file.sha256:
                    raise _damaged(manifest, file.path, "does not have its recorded checksum")
        _remember(layout, name, stamps)
    return folder


def _remember(layout: Layout, name: str, stamps: dict[str, Stamp]) -> None:
    try:
        write_whole(layout.checked(name), json.dumps(stamps))
    except OSError:
        return  # a full or read-only disk: the next opening reads again, that is all


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    """A file that no manifest names may be code, or weights that a loader prefers."""
    expected = {file.path for file in manifest.files}
    for place, folders, names in os.walk(folder):
        for one in [*names, *(f for f in folders if Path(place, f).is_symlink())]:
            path = Path(place, one).relative_to(folder).as_posix()
            if path not in expected:
                raise WeightsDamaged(
                    f"The model '{manifest.name}' holds '{path}', which was not pulled with it; "
                    "remove that file, or the model."
                )


def _damaged(manifest: Manifest, path: str, what: str) -> WeightsDamaged:
    return WeightsDamaged(
        f"'{path}' of the model '{manifest.name}' {what}; it is not loaded. Bring it back with: "
        f"storyforge models pull {manifest.name}."
    )
