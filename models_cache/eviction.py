"""Decides which models give way to a new one: the least recently used that nobody needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Held:
    """A model in the store.

    blocks: bytes of each file by inode; models that share a file have the same inode there.
    last_used_ns: when it was last opened (or pulled). needed: loaded, queued or being pulled.
    """

    name: str
    blocks: Mapping[int, int]
    last_used_ns: int
    needed: bool


def used_bytes(models: Sequence[Held]) -> int:
    """What models take together, each shared file once."""
    blocks: dict[int, int] = {}
    for model in models:
        blocks |= model.blocks
    return sum(blocks.values())


def choose_evictions(
    models: Sequence[Held], needs_bytes: int, room_bytes: int
) -> tuple[Sequence[str], int]:
    """Which models to remove, in that order, so that `needs_bytes` more fit into `room_bytes`.

    Gives the names and how many bytes are missing even then: when any are, remove nothing.
    Models that are needed never give way; nor does one whose files all stay (shared with others).
    """
    stay = list(models)
    chosen: list[str] = []
    for model in sorted(models, key=lambda one: (one.last_used_ns, one.name)):
        if used_bytes(stay) + needs_bytes <= room_bytes:
            break
        if model.needed:
            continue
        stay.remove(model)
        chosen.append(model.name)
    missing = max(0, used_bytes(stay) + needs_bytes - room_bytes)
    return _without_vain(models, chosen, needs_bytes, room_bytes), missing


def _without_vain(
    models: Sequence[Held], chosen: Sequence[str], needs_bytes: int, room_bytes: int
) -> Sequence[str]:
    """Spare every model whose removal does not help, latest used first."""
    kept = list(chosen)
    for name in reversed(chosen):
        without = [one for one in kept if one != name]
        stay = [model for model in models if model.name not in without]
        if used_bytes(stay) + needs_bytes <= room_bytes:
            kept = without
    return tuple(kept)
