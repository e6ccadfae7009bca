"""Say whether a mentioned character acts in a sentence or is only spoken of."""

from __future__ import annotations

import re

from inference.language.rule_writer.cast import Mention, is_genitive
from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.name_evidence import is_finite_verb
from inference.language.rule_writer.unspaced_names import UNSPACED
from pipelines.continuity.reading import WORDS, Line, Story, cues

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_VERB_WITHIN = 3  # words between a subject and its verb: "Tom then slowly opened"
_COPULA = re.compile(
    r"\s+(?:was|is|were|had been|lay|remained|war|ist|lag|\u00e9tait|est|era|estaba|\u0431\u044b\u043b\u0430?)\s+"
    r"(?:\w+\s+)?(?:dead|gone|buried|remembered|missed|killed|murdered|slain|mourned|tot|begraben|"
    r"fort|mort|morte|enterr\u00e9e?|muerto|muerta|still|silent|no more|in \w+ grave)\b",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"\s+(?:was|is|were)\s+(?:\w+ly\s+|still\s+|already\s+|now\s+|there,?\s+)?"
    r"(?!being|missing|lying|rotting|waiting for us)\w{2,}ing\b"
)
_COMES = re.compile(
    r"(?:^|[.;!?\u201d]\s*)(?:There|Here|Then|In|On|At|Beside|Behind|Out|From|Under|Through|Up|Down|"
    r"By|Across|Into|Opposite|Next)\b[^.;!?]*\b(?:stood|sat|came|stepped|walked|strode|leaned|leant|"
    r"knelt|crouched|waited|appeared|rode|ran|stands|sits|comes|waits|was)\s+$"
)
_IT_WAS = re.compile(r"\b[Ii]t (?:was|is) $")
_DOES = re.compile(r",\s+(?:\w+ly\s+)?\w{2,}ing\b|\s+who\s+(?:had\s+)?\w+")
_LIES = frozenset({"lay", "lies", "lag", "hung", "hangs", "rested", "rests", "rotted"})
# What the dead had done before is no deed of theirs now.
_HAD = frozenset({"had", "hatte", "avait", "habia", "aveva", "tinha"})
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
    if _COPULA.match(after) or is_genitive(after):
        return False
    if story.language in UNSPACED:
        return bool(_UNSPACED_VERBS.search(after[:_UNSPACED_AFTER]))
    if _speaks_after(line, mention, story.language) or _is_there(line, mention):
        return True
    return not _is_object(line, mention, story.language) and _verb_follows(after, story.language)


def _is_there(line: Line, mention: Mention) -> bool:
    """English only: "Tom was grinning", "There stood Tom", "It was Tom, leaning on the fence"."""
    before, after = line.text[: mention.start], line.text[mention.end :]
    if _DOING.match(after) or (_COMES.search(before) and not before.rstrip().endswith(",")):
        return True
    return bool(_IT_WAS.search(before) and _DOES.match(after))


def _speaks_after(line: Line, mention: Mention, language: str) -> bool:
    """Whether a name stands after quoted speech and its verb (said Tom)."""
    before = _WORD.findall(line.text[: mention.start])
    speech = lexicon("people").words("speech", language)
    quoted = any(end <= mention.start for _, end in line.quotes)
    return bool(quoted and before and fold(before[-1]) in speech)


def _is_object(line: Line, mention: Mention, language: str) -> bool:
    """After a preposition or a verb, a name is what is spoken of: "They buried Tom"."""
    before = _WORD.findall(line.text[: mention.start])
    if not before:
        return False
    last = fold(before[-1])
    prepositions = lexicon("cues", WORDS).words("prepositions", language)
    return last in prepositions or is_finite_verb(last, language)


def _verb_follows(after: str, language: str) -> bool:
    head = re.split(r"[.;:!?\u2014]|,(?!\s\w+ly)", after)[0]
    words = [fold(word) for word in _WORD.findall(head)[: _VERB_WITHIN + 1]]
    joined = fold_map(" ".join(words))
    if cues("negation", joined, language):
        return False
    passive = len(words) > 1 and words[0] in ("was", "wurde", "fut", "fue", "is", "wird")
    earlier = len(words) > 1 and words[0] in _HAD and is_finite_verb(words[1], language)
    if words and words[0] in _LIES:
        return False
    return not passive and not earlier and any(is_finite_verb(word, language) for word in words)
