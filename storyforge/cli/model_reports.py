"""Shows the catalogue and the model store, as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from models_cache.catalogue.records import ModelEntry, VideoEntry, WriterEntry
from models_cache.eviction import used_bytes
from models_cache.sizes import in_words
from models_cache.store import Kept, ModelStore, model_store
from storyforge.settings import Settings


def print_list(settings: Settings, *, as_json: bool) -> None:
    """The catalogue, the local models marked."""
    store = model_store(settings)
    here = {one.name: one for one in store.models()}
    entries = list(store.catalogue.entries.values())
    if as_json:
        print(json.dumps([_with_local(entry, here.get(entry.name)) for entry in entries], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for heading in ("does", "download", "licence", "here"):
        table.add_column(heading)
    for entry in entries:
        does = ", ".join(entry.abilities) if isinstance(entry, VideoEntry) else "writer"
        limits = " *" if entry.licence_limits else ""
        kept = here.get(entry.name)
        table.add_row(
            entry.name,
            does,
            in_words(entry.download_bytes),
            f"{entry.licence.split(':')[0]}{limits}",
            in_words(kept.manifest.total_bytes) if kept else "",
        )
    Console().print(table)
    print("* with limits or unread: storyforge models show <model>")


def print_entry(settings: Settings, name: str, *, as_json: bool) -> None:
    """Everything about one model. Raises NotFound."""
    store = model_store(settings)
    entry = store.catalogue.find(name)
    kept = next((one for one in store.models() if one.name == entry.name), None)
    if as_json:
        print(json.dumps(_with_local(entry, kept), indent=2))
        return
    print(f"{entry.name}: {entry.summary}")
    for label, value in _lines(entry, kept):
        print(f"  {label:<12} {value}")


def print_usage(settings: Settings, *, as_json: bool) -> None:
    """What lies in the store."""
    store = model_store(settings)
    kept = sorted(store.models(), key=lambda one: -one.manifest.total_bytes)
    total_bytes, unfinished = used_bytes(store.held(())), store.staging_bytes()
    if as_json:
        print(json.dumps(_usage(store, kept, total_bytes, unfinished), indent=2))
        return
    for one in kept:
        use = f"  in use by {', '.join(map(str, one.holders))}" if one.holders else ""
        print(f"{in_words(one.manifest.total_bytes):>9}  {one.name}{use}")
    if unfinished:
        print(f"{in_words(unfinished):>9}  in pulls that are not finished")
    budget = f" of {in_words(store.budget_bytes)}" if store.budget_bytes else ""
    print(f"{in_words(total_bytes):>9}  in all{budget} (files that models share count once)")


def _usage(
    store: ModelStore, kept: Sequence[Kept], total_bytes: int, unfinished_bytes: int
) -> dict[str, Any]:
    return {
        "models": [
            {
                "name": one.name,
                "bytes": one.manifest.total_bytes,
                "commit": one.manifest.commit,
                "holders": list(one.holders),
            }
            for one in kept
        ],
        "unfinishedBytes": unfinished_bytes,
        "totalBytes": total_bytes,
        "budgetBytes": store.budget_bytes,
    }


def _with_local(entry: ModelEntry, kept: Kept | None) -> dict[str, Any]:
    local = None
    if kept is not None:
        local = {
            "commit": kept.manifest.commit,
            "bytes": kept.manifest.total_bytes,
            "path": str(kept.path),
        }
    return {**entry.to_json(), "local": local}


def _lines(entry: VideoEntry | WriterEntry, kept: Kept | None) -> Sequence[tuple[str, str]]:
    lines = [
        ("repository", entry.repo),
        ("revision", f"{entry.revision} ({entry.revision_source})"),
        ("licence", entry.licence),
        ("limits", entry.licence_limits or "none known"),
        ("gated", "yes, needs a token" if entry.gated else "no"),
        ("download", f"{in_words(entry.download_bytes)} ({entry.download_source})"),
    ]
    lines += _video_lines(entry) if isinstance(entry, VideoEntry) else _writer_lines(entry)
    for peak in entry.memory:
        words = f"{in_words(peak.peak_bytes)} {peak.precision}, {peak.placement} ({peak.source})"
        lines.append(("memory", words))
    lines.append(("here", f"{kept.path}, commit {kept.manifest.commit}" if kept else "no"))
    return lines


def _video_lines(entry: VideoEntry) -> list[tuple[str, str]]:
    frames = entry.frames
    second = f" and {entry.guidance_2}" if entry.guidance_2 is not None else ""
    shift = entry.shift if entry.shift is not None else "the model's own"
    return [
        ("pipeline", entry.pipeline),
        ("abilities", ", ".join(entry.abilities)),
        ("sizes", ", ".join(f"{width}x{height}" for width, height in entry.sizes)),
        (
            "frames",
            f"{frames.step}k+{frames.offset}, usually {frames.usual}, {entry.fps} a second",
        ),
        ("defaults", f"{entry.steps} steps, guidance {entry.guidance}{second}, shift {shift}"),
    ]


def _writer_lines(entry: WriterEntry) -> list[tuple[str, str]]:
    return [
        ("engine", " ".join((entry.engine, *entry.engine_arguments))),
        ("context", f"{entry.context_tokens} tokens"),
    ]
