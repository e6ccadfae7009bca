"""Say whether a mentioned character acts in a sentence or is only spoken of."""

from __future__ import annotations

import re

from inference.language.rule_writer.cast import Mention
from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.strangers import UNSPACED, is_finite_verb
from pipelines.continuity.reading import Line, Story, cues

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_VERB_WITHIN = 3  # words between a subject and its verb: "Tom then slowly opened"
_COPULA = re.compile(
    r"\s+(?:was|is|were|had been|lay|remained|war|ist|lag|\u00e9tait|est|era|estaba|\u0431\u044b\u043b\u0430?)\s+"
    r"(?:\w+\s+)?(?:dead|gone|buried|remembered|missed|killed|murdered|slain|mourned|tot|begraben|"
    r"fort|mort|morte|enterr\u00e9e?|muerto|muerta|still|silent|no more|in \w+ grave)\b",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['\u2019]s?\b|s['\u2019]")
_NOT_SUBJECT = frozenset(
    "of about for with without from to by than like after before behind beside over near at into "
    "von f\u00fcr mit ohne an \u00fcber neben bei zu nach vor um wegen "
    "de pour avec sans \u00e0 sur apr\u00e8s avant chez par "
    "para con sin a sobre por tras ante "
    "\u043e \u043e\u0431 \u0434\u043b\u044f \u0441 \u0431\u0435\u0437 \u043a \u0443 \u043f\u0440\u043e \u0438\u0437 \u043e\u0442".split()
)
_UNSPACED_AFTER = 8
_UNSPACED_VERBS = re.compile(
    "[\u8bf4\u95ee\u558a\u7b11\u8d70\u8dd1\u7ad9\u5750\u770b\u62ff\u6253\u63a8\u62c9\u62ac\u56de\u8fdb\u51fa\u6765\u53bb\u5531\u54ed\u63e1]"
    "|(?:\u306f|\u304c).{0,20}(?:\u305f|\u308b|\u3046|\u304f)"
)


def acts(line: Line, mention: Mention, story: Story) -> bool:
    """Whether the mentioned character does something here, in plain narration."""
    if line.spoken(mention.start) or cues("remains", line.folded, story.language):
        return False
    after = line.text[mention.end :]
    if _COPULA.match(after) or _POSSESSIVE.match(after):
        return False
    if story.language in UNSPACED:
        return bool(_UNSPACED_VERBS.search(after[:_UNSPACED_AFTER]))
    if _speaks_after(line, mention, story.language):
        return True
    before = _WORD.findall(line.text[: mention.start])
    if before and fold(before[-1]) in _NOT_SUBJECT:
        return False
    if _is_object(before, story.language):
        return False
    return _verb_follows(after, story.language)


def _speaks_after(line: Line, mention: Mention, language: str) -> bool:
    """ "...", said Tom."""
    before = _WORD.findall(line.text[: mention.start])
    speech = lexicon("people").words("speech", language)
    quoted = any(end <= mention.start for _, end in line.quotes)
    return bool(quoted and before and fold(before[-1]) in speech)


def _is_object(before: list[str], language: str) -> bool:
    """A name right after a verb is what the verb is done to: "They buried Tom"."""
    return bool(before) and is_finite_verb(fold(before[-1]), language)


def _verb_follows(after: str, language: str) -> bool:
    head = re.split(r"[.;:!?\u2014]|,(?!\s\w+ly)", after)[0]
    words = [fold(word) for word in _WORD.findall(head)[: _VERB_WITHIN + 1]]
    joined = fold_map(" ".join(words))
    if cues("negation", joined, language):
        return False
    passive = len(words) > 1 and words[0] in ("was", "wurde", "fut", "fue", "is", "wird")
    return not passive and any(is_finite_verb(word, language) for word in words)
