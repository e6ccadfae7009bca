"""Facts and the words that contradict them, from paired word lists."""

from __future__ import annotations

from collections.abc import Iterable

from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Hit, paired
from pipelines.continuity.reading import WORDS, Line, cues
from storyforge.domain.continuity import Evidence

_NEGATION_CHARS = 14


def rows_of(table: str, facts: Iterable[Evidence]) -> dict[str, Evidence]:
    """The rows of `words/<table>.toml` that these facts state, each with its fact.

    A negated fact ("not blind", "no longer mute") states nothing.
    """
    found: dict[str, Evidence] = {}
    for fact in facts:
        folded = fold_map(fact.text)
        for row, (stated, _) in paired(table, WORDS, ("fact", "against")).items():
            for hit in stated.find(folded, ""):
                before = fact.text[max(0, hit.start - _NEGATION_CHARS) : hit.start]
                if not cues("negation", fold_map(before), ""):
                    found.setdefault(row, fact)
    return found


def against(table: str, row: str, line: Line, language: str) -> list[Hit]:
    """Where a sentence says what contradicts a row."""
    return paired(table, WORDS, ("fact", "against"))[row][1].find(line.folded, language)
