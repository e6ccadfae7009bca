"""Reads the catalogue's TOML files into checked records, and finds models in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from models_cache.catalogue.records import Ability, Entry, Pair, VideoEntry, WriterEntry
from models_cache.names import model_name, same_but_for_case
from storyforge.errors import NotFound, SetupProblem

_OWN = Path(__file__).parent
_PAIRS = "pairs.toml"
_ENTRY: TypeAdapter[VideoEntry | WriterEntry] = TypeAdapter(Entry)
_PAIR = TypeAdapter(Pair)
_Parsed = TypeVar("_Parsed", bound=BaseModel)


@dataclass(frozen=True)
class Catalogue:
    """All known models by their short name, and the default pairs, smallest card first."""

    entries: Mapping[str, VideoEntry | WriterEntry]
    pairs: Sequence[Pair]

    def find(self, name: str) -> VideoEntry | WriterEntry:
        """The entry of a short name or repository id. Raises InvalidInput and NotFound."""
        wanted = model_name(name)
        if wanted in self.entries:
            return self.entries[wanted]
        for entry in self.entries.values():
            if entry.repo == wanted:
                return entry
        raise NotFound(
            f"The catalogue has no model '{wanted}'; `storyforge models list` shows what it has."
        )

    def recommend(self, total_bytes: int) -> Pair | None:
        """The pair of the largest card size within `total_bytes` of card memory; None below all.

        Sizes are decimal gigabytes, as cards are sold: an 80 GB card has a little more than that.
        """
        fitting = [pair for pair in self.pairs if pair.card_gb * 10**9 <= total_bytes]
        return fitting[-1] if fitting else None


def read_catalogue(own_folder: Path | None = None) -> Catalogue:
    """The catalogue shipped with the code, and the operator's own entries.

    own_folder: a folder of TOML files with more entries; an entry there replaces one of the same
    name. Raises SetupProblem naming the file and the key that is wrong.
    """
    entries = dict(_shipped_entries())
    if own_folder is not None and own_folder.is_dir():
        entries |= _read_entries(sorted(own_folder.glob("*.toml")))
    pairs = _shipped_pairs()
    _check_names(entries)
    _check_pairs(pairs, entries)
    return Catalogue(entries=entries, pairs=pairs)


@cache
def _shipped_entries() -> Mapping[str, VideoEntry | WriterEntry]:
    return _read_entries(sorted(_OWN.glob("*.toml")))


@cache
def _shipped_pairs() -> Sequence[Pair]:
    pairs = (_checked(_PAIR, one, _OWN / _PAIRS) for one in _toml(_OWN / _PAIRS)["pair"])
    return tuple(sorted(pairs, key=lambda pair: pair.card_gb))


def _read_entries(files: Iterable[Path]) -> dict[str, VideoEntry | WriterEntry]:
    entries: dict[str, VideoEntry | WriterEntry] = {}
    for file in files:
        if file.name == _PAIRS:
            continue
        for kind, found in _toml(file).items():
            for one in found if isinstance(found, list) else [found]:
                fields = {**one, "kind": kind} if isinstance(one, dict) else {"kind": kind}
                entry = _checked(_ENTRY, fields, file)
                if entry.name in entries:
                    raise SetupProblem(f"{file.name} names the model '{entry.name}' twice.")
                entries[entry.name] = entry
    return entries


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise SetupProblem(f"The catalogue's {file.name} cannot be read: {exc}.") from exc


def _checked(adapter: TypeAdapter[_Parsed], fields: Mapping[str, Any], file: Path) -> _Parsed:
    try:
        return adapter.validate_python(fields)
    except ValidationError as exc:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in exc.errors()
        )
        name = fields.get("name", "an entry")
        raise SetupProblem(f"The catalogue's {file.name} is wrong at {name}: {wrong}.") from exc


def _check_names(entries: Mapping[str, VideoEntry | WriterEntry]) -> None:
    for name in entries:
        twin = same_but_for_case(name, list(entries))
        if twin is not None:
            raise SetupProblem(f"The model names '{name}' and '{twin}' differ in case only.")


def _check_pairs(pairs: Sequence[Pair], entries: Mapping[str, VideoEntry | WriterEntry]) -> None:
    for pair in pairs:
        video, writer = entries.get(pair.video), entries.get(pair.writer)
        opening = entries.get(pair.opening or pair.video)
        if not isinstance(video, VideoEntry) or not isinstance(writer, WriterEntry):
            raise SetupProblem(f"The pair for {pair.card_gb} GB names models that are not there.")
        if not isinstance(opening, VideoEntry) or Ability.TEXT not in opening.abilities:
            raise SetupProblem(f"The pair for {pair.card_gb} GB has no model for an opening shot.")
