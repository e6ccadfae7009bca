"""Find broken things at work: a cracked bell that rings, a dead oven that bakes; English only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from inference.language.rule_writer.folding import fold
from pipelines.continuity.denied import singular
from pipelines.continuity.reading import Line
from storyforge.domain.continuity import Evidence

_BROKEN = re.compile(
    r"\b([a-z]+) (?:is|are|has|have|was|were|will) (?:been |forever |for ever |always |long )?(?:\w+ly )?"
    r"(?:broken|cracked|stopped|silent|dead|out of order|rusted shut|jammed|cut|cut off|empty|dry|cold|"
    r"not working|extinguished|gone out|smashed|seized|blocked|collapsed|frozen)\b"
    r"|\b([a-z]+) (?:does not|do not|doesn't|don't|no longer|never|will not|won't|cannot|can't) "
    r"(?:work|works|ring|rings|run|runs|burn|burns|start|starts|go|goes|turn|turns|strike|strikes|move|"
    r"moves|open|opens|light|lights|play|plays|flow|flows)\b"
    r"|\b(?:broken|cracked|stopped|dead|rusted|ruined|dry|empty|silent) ([a-z]+)\b"
)
_WORKS = (
    r"rang|rings|ringing|tolled|tolls|tolling|struck|strikes|striking|chimed|chimes|ticked|ticks|ticking|"
    r"hummed|hums|humming|roared|whirred|started|worked|works|turned|turns|turning|burned|burns|burning|"
    r"blazed|blazing|glowed|glows|played|plays|flowed|flows|gushed|ran|runs|running|baked|heated|hissed|"
    r"rattled into life|came to life|spun|spins|spinning|pealed|sounded|boomed|steamed|lit up|bubbled"
)
_MENDED = re.compile(
    r"\b(?:repair\w*|mend\w*|fix\w*|restor\w*|recast|new|again|at last|replac\w*)\b"
)
_WARM = (
    r"(?:hot|warm|burning|blazing|humming|ticking|ringing|working|roaring|glowing|full|brimming)"
)
_NOT_THINGS = frozenset(
    {
        "it",
        "he",
        "she",
        "they",
        "he's",
        "everyone",
        "nobody",
        "which",
        "who",
        "that",
        "there",
        "air",
    }
    | {
        "sea",
        "lake",
        "pond",
        "river",
        "street",
        "village",
        "town",
        "years",
        "windows",
        "wood",
        "place",
    }
)


class BrokenThings:
    """The things that facts call broken, each with its fact."""

    def __init__(self, facts: Iterable[Evidence]) -> None:
        self._known: dict[str, Evidence] = {}
        for fact in facts:
            for match in _BROKEN.finditer(fold(fact.text)):
                noun = next(group for group in match.groups() if group)
                if noun not in _NOT_THINGS:
                    self._known.setdefault(singular(noun), fact)

    def at_work(self, line: Line) -> Iterator[tuple[int, int, Evidence]]:
        """(start, end, fact) wherever one of them works."""
        text = line.folded.text
        if _MENDED.search(text):
            return
        for noun, fact in self._known.items():
            thing = rf"\b{re.escape(noun)}s?\b"
            pattern = rf"{thing}(?: \w+){{0,3}} (?:{_WORKS})\b|\b{_WARM} {thing}"
            match = re.search(pattern, text)
            if match is None or re.search(r"\bnot\b|\bnever\b|n't\b|\bno\b", match.group(0)):
                continue
            span = line.folded.span(*match.span())
            if not line.spoken(span[0]):
                yield (*span, fact)
