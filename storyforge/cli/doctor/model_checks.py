"""Checks which models this machine's largest card should have, and whether they are here."""

from __future__ import annotations

from inference.devices.records import Inventory
from models_cache.catalogue.records import Pair
from models_cache.store import ModelStore, model_store
from storyforge.cli.doctor.findings import Finding, Verdict
from storyforge.errors import StoryForgeError
from storyforge.settings import Settings

_NAME = "models"


def check_models(settings: Settings, reading: Inventory) -> Finding:
    """The default pair for the largest card; reads no weights."""
    store = model_store(settings)
    try:
        here = {model.name for model in store.models()}
        largest = max((device.total_bytes for device in reading.devices), default=0)
        pair = store.catalogue.recommend(largest)
    except StoryForgeError as exc:
        return Finding(name=_NAME, verdict=Verdict.NOTE, found=exc.detail)
    if pair is None:
        smallest = store.catalogue.pairs[0].card_gb
        found = f"Storyboard and rules; models need an NVIDIA card of {smallest} GB or more."
        return Finding(name=_NAME, verdict=Verdict.OK, found=found)
    return _advice(store, pair, here)


def _advice(store: ModelStore, pair: Pair, here: set[str]) -> Finding:
    video = f"{pair.video} (opening shots: {pair.opening})" if pair.opening else pair.video
    turns = "both at once" if pair.together else "in turns"
    wanted = [name for name in (pair.video, pair.opening, pair.writer) if name]
    missing = [name for name in wanted if name not in here]
    limits = [name for name in wanted if store.catalogue.find(name).licence_limits]
    found = (
        f"For a card of {pair.card_gb} GB or more: {video}, with {pair.placement}; writer "
        f"{pair.writer}, {turns}. {pair.reason}"
    )
    cure = "; ".join(f"storyforge models pull {name}" for name in missing)
    if missing and limits:
        cure += f" (read the licence first: storyforge models show {limits[0]})"
    return Finding(
        name=_NAME, verdict=Verdict.NOTE if missing else Verdict.OK, found=found, cure=cure
    )
