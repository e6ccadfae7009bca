"""Screens a segment's frames on their way to the encoder: gates, joins, corrections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from inference.video.model import Frames
from pipelines.encoding.pictures import Picture
from pipelines.gates import correction, joins
from pipelines.gates.clip import ClipGate, is_black, refusals
from pipelines.gates.correction import Tables
from storyforge.domain.film_record import (
    ClipFigures,
    Drift,
    Gate,
    JoinAction,
    JoinKind,
    JoinRecord,
    Refusal,
)
from storyforge.errors import QualityRefused
from storyforge.settings import GateSettings


class ClipRefused(Exception):
    """A gate refused the clip that was just screened; what was encoded of it is worthless."""

    def __init__(
        self,
        found: tuple[Refusal, ...],
        figures: ClipFigures | None = None,
        join: JoinRecord | None = None,
    ) -> None:
        super().__init__(" ".join(refusal.detail for refusal in found))
        self.refusals = found
        self.figures = figures
        self.join = join


@dataclass(frozen=True)
class Screened:
    """What a clip that passed was found to be, and how it joins."""

    figures: ClipFigures
    join: JoinRecord


class Screening:
    """Takes the clips of a segment in order; keeps one frame between them.

    last: the last frame of the segment before. style: the scene's style frame. Both RGB, or None.
    """

    def __init__(
        self,
        settings: GateSettings,
        fps: int,
        *,
        last: Picture | None = None,
        style: Picture | None = None,
    ) -> None:
        self._settings = settings
        self._fps = fps
        self._style = style
        self.last = last
        self.passed: list[Screened] = []

    def clip(self, chunks: Iterable[Frames], kind: JoinKind) -> Iterator[Frames]:
        """The clip's frames, the first ones corrected where they drift a little.

        Its figures are in `passed` when it ends. Raises ClipRefused: at once for what is no
        number, else at the end, with all reasons; nothing of a clip that does not join is given.
        """
        gate, join = ClipGate(self._settings, self._fps), JoinRecord(kind=kind)
        tables: Iterator[Tables] = iter(())
        last, begun = self.last, False
        try:
            for chunk in chunks:
                gate.look(chunk)
                if not begun and len(chunk) and chunk.dtype == np.uint8:
                    begun = True
                    join, tables = self._join(chunk[0], kind)
                shown = _corrected(chunk, tables)
                last = shown[-1].copy()
                if join.action is not JoinAction.REFUSED:
                    yield shown
                del chunk, shown  # not held while the next frames are being made
        except QualityRefused as exc:
            refused = Refusal(gate=Gate.NUMBERS, detail=exc.detail)
            raise ClipRefused((refused,), join=join) from exc
        figures = gate.figures()
        found = refusals(figures, self._settings)
        drift = held_against(join)
        if join.action is JoinAction.REFUSED and drift is not None:
            found = (*found, joins.refusal(kind, drift, self._settings))
        if found:
            raise ClipRefused(found, figures, join)
        self.passed.append(Screened(figures, join))
        self.last = last

    def _join(self, first: Picture, kind: JoinKind) -> tuple[JoinRecord, Iterator[Tables]]:
        join = JoinRecord(kind=kind, to_last=_drift(first, self.last))
        join = join.model_copy(update={"to_style": _drift(first, self._style)})
        wanted = self._style if kind is JoinKind.FROM_STYLE else self.last
        found = held_against(join)
        if wanted is None or found is None:
            return join, iter(())
        action = joins.decide(kind, found, self._settings)
        if is_black(first, self._settings) or is_black(wanted, self._settings):
            action = JoinAction.MEASURED  # a fade; there is no colour to keep
        if action is JoinAction.CORRECTED:
            return self._correcting(first, wanted, found, join)
        return join.model_copy(update={"action": action}), iter(())

    def _correcting(
        self, first: Picture, wanted: Picture, found: Drift, join: JoinRecord
    ) -> tuple[JoinRecord, Iterator[Tables]]:
        """The tables for the first frames, unless they would make the join no better."""
        other_view = join.kind is JoinKind.SAME_SCENE
        make = correction.shifting_tables if other_view else correction.matching_tables
        tables = make(first, wanted)
        frames = round(self._settings.correction_s * self._fps)
        left = joins.drift(correction.apply(first, tables), wanted)
        if frames < 1 or left.colour > found.colour:
            return join, iter(())
        done = {"action": JoinAction.CORRECTED, "corrected_frames": frames, "left": left}
        return join.model_copy(update=done), correction.faded(tables, frames)


def held_against(join: JoinRecord) -> Drift | None:
    """The drift that decides: from the style frame where the shot started from that."""
    return join.to_style if join.kind is JoinKind.FROM_STYLE else join.to_last


def _drift(first: Picture, wanted: Picture | None) -> Drift | None:
    return None if wanted is None else joins.drift(first, wanted)


def _corrected(chunk: Frames, tables: Iterator[Tables]) -> Frames:
    """The chunk, or a copy whose first frames went through the tables that are left."""
    changed: Sequence[Picture] = [
        # the chunk comes first: zip then takes no table that it has no picture for
        correction.apply(picture, table)
        for picture, table in zip(chunk, tables, strict=False)
    ]
    if not changed:
        return chunk
    return np.concatenate([np.stack(changed), chunk[len(changed) :]])
