"""Tidy a reader's text and split it into sentences, dialogue kept with its speaker."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import fold, is_unspaced
from inference.language.rule_writer.lexicon import lexicon

_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<!--.{0,500}?-->", re.DOTALL)
_MARKDOWN = re.compile(r"^\s{0,3}(?:#{1,6}|>+|[*+-])\s+")
_EMPHASIS = re.compile(r"(\*\*|__|\*|~~)(?=\S)(.{1,400}?\S|\S)\1(?!\w)")
_KEPT_FORMAT_CODES = frozenset({0x200C, 0x200D})  # joiners: Hindi, Persian and emoji need them

_TERMINATOR = re.compile(
    r"(?:[.!?\u2026\u203c\u2047-\u2049\u061f\u06d4\u0964\u0965\u0589\u1362]+)"
    r"|[\u3002\uff01\uff1f\uff61\uff0e]+[\u2026\u3002\uff01\uff1f]*|\u2026{2,}"
)
_UNSPACED_END = frozenset("\u3002\uff01\uff1f\uff61\uff0e\u0964\u0965\u061f\u06d4\u0589\u1362")
_CLOSERS = re.compile(r"[\u201d\u2019')\]\u300d\u300f\uff09]+")
_QUOTES = {
    '"': '"',
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
_MAX_QUOTE_CHARS = 400
_WRAPPED_LINE_CHARS = 60  # a longer line without a full stop was wrapped, not ended
_TAG_WORDS = 4  # a speech verb this near a closed quote belongs to it
_MARKS = '.,;:!?\u2026\u0964"\u201c\u201d'
_LONG_DASHES = "\u2013\u2014\u2015"
_INNER_DASH = re.compile(r"\s[\u2013\u2014\u2015]")
_TAG_START = re.compile(r"(?<=[,!?\u2026])\s+([^\W\d_]+)")
_DASHES = "-\u2013\u2014\u2015"


@dataclass(frozen=True)
class Sentence:
    """One sentence, or with `continues` a later clause of one.

    opens: it begins a paragraph. spoken: it holds direct speech.
    """

    text: str
    opens: bool = False
    spoken: bool = False
    continues: bool = False


def tidy(text: str) -> list[str]:
    """Paragraphs without control characters, markup and doubled white space."""
    plain = _TAG.sub(" ", unicodedata.normalize("NFC", text))
    paragraphs: list[str] = []
    open_line = False
    for raw in _LINE_BREAK.split(plain):
        line = _EMPHASIS.sub(r"\2", _MARKDOWN.sub("", raw))
        line = " ".join("".join(_kept(char) for char in line).split())
        if not line:
            open_line = False
            continue
        if open_line and not _begins_anew(paragraphs[-1], line):
            paragraphs[-1] += ("" if is_unspaced(line[0]) else " ") + line
        else:
            paragraphs.append(line)
        open_line = True
    return paragraphs


def sentences(text: str, language: str) -> list[Sentence]:
    """All sentences of a text in order; empty when nothing readable is in it."""
    found: list[Sentence] = []
    for paragraph in tidy(text):
        pieces = [one for one in _split(paragraph, language) if any(c.isalnum() for c in one)]
        found.extend(
            Sentence(piece, opens=index == 0, spoken=is_spoken(piece))
            for index, piece in enumerate(pieces)
        )
    if not found:
        rest = " ".join(tidy(text))
        return [Sentence(rest, opens=True)] if rest else []
    return found


def is_spoken(text: str) -> bool:
    """Whether a sentence holds direct speech."""
    return bool(quote_spans(text))


def quote_spans(text: str) -> list[tuple[int, int]]:
    """Ranges of direct speech, quotation marks included; unclosed marks are ignored."""
    spans: list[tuple[int, int]] = _dashed(text) if text[:1] in _LONG_DASHES else []
    if spans:
        return spans
    index = 0
    while index < len(text):
        end = _closing(text, index) if text[index] in _QUOTES else -1
        if end > index + 1:
            spans.append((index, end + 1))
            index = end
        index += 1
    return spans


def _dashed(text: str) -> list[tuple[int, int]]:
    """Speech after a dash, up to the next dash or the verb of speech: "\u2014 Hola \u2014dijo."."""
    if len(text) == 1:
        return []
    inner = _INNER_DASH.search(text, 1)
    tag = next(
        (m for m in _TAG_START.finditer(text) if fold(m.group(1)) in _speech_words("")), None
    )
    ends = [match.start() for match in (inner, tag) if match is not None]
    return [(0, min(ends, default=len(text)))]


def _kept(char: str) -> str:
    if ord(char) in _KEPT_FORMAT_CODES:
        return char
    category = unicodedata.category(char)
    if category in ("Cf", "Cs", "Co", "Cn"):
        return ""
    return " " if category in ("Cc", "Zs", "Zl", "Zp") else char


def _begins_anew(before: str, line: str) -> bool:
    if line[0] in _DASHES or line[0] in _QUOTES:
        return True
    ended = _TERMINATOR.search(before[-3:]) is not None or before[-1] in ':;"\u201d\u00bb\u300d'
    return ended or (len(before) < _WRAPPED_LINE_CHARS and line[0].isupper())


def _closing(text: str, start: int) -> int:
    opener = text[start]
    if opener in '"\u00bb\u00ab' and start and text[start - 1].isalnum():
        return -1
    closers = _QUOTES[opener]
    for index in range(start + 1, min(len(text), start + 1 + _MAX_QUOTE_CHARS)):
        if text[index] in closers:
            return index
    return -1


def _split(paragraph: str, language: str) -> list[str]:
    quotes = quote_spans(paragraph)
    pieces: list[str] = []
    start = 0
    for match in _TERMINATOR.finditer(paragraph):
        end = match.end()
        quote = next((one for one in quotes if one[0] < match.start() < one[1]), None)
        if quote is not None:
            if paragraph[end : quote[1] - 1].strip():
                continue
            end = quote[1]
        closer = _CLOSERS.match(paragraph, end)
        closed = quote is not None or closer is not None
        end = closer.end() if closer else end
        if end > start and _ends(paragraph, match.start(), match.end(), end, closed, language):
            pieces.append(paragraph[start:end].strip())
            start = end
    if paragraph[start:].strip():
        pieces.append(paragraph[start:].strip())
    return pieces


def _ends(text: str, mark: int, mark_end: int, end: int, closed: bool, language: str) -> bool:
    rest = text[end:]
    after = rest.lstrip()
    if not after:
        return True
    if closed and _is_speech_tag(after, language):
        return False
    if text[mark_end - 1] in _UNSPACED_END:
        return True
    following = after.lstrip("\"'\u201c\u201e\u00ab\u00bb([" + _DASHES + " ")[:1]
    if following.islower():
        return False
    if text[mark:mark_end] == ".":
        return _full_stop_ends(text[:mark], rest, following, language)
    return rest[0].isspace() or not following.isalnum() or is_unspaced(following)


def _full_stop_ends(before: str, rest: str, following: str, language: str) -> bool:
    word = re.split(r"[\s(\"\u201c\u201e\u00ab]", before)[-1]
    folded = fold(word)
    marks = lexicon("sentences")
    if not rest[0].isspace():
        # "end.The next" is two sentences, "storyforge.example" and "3.14" are not
        return word[-1:].islower() and following.isupper() and "." not in word
    if folded in marks.words("abbreviations", "all"):
        return False
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    if word.isdigit() and language in marks.words("ordinal_stop", "all"):
        return False
    return folded not in marks.words("may_end", "all") or language != "de"


def _is_speech_tag(after: str, language: str) -> bool:
    if after[0].islower():
        return True
    if is_unspaced(after[0]):
        return after.startswith(("\u3068", "\u3063\u3066")) or _unspaced_tag(after, language)
    verbs = _speech_words(language)
    return any(fold(word.strip(_MARKS)) in verbs for word in after.split(None, 8)[:_TAG_WORDS])


def _unspaced_tag(after: str, language: str) -> bool:
    head = re.split(r"[\u3002\uff01\uff1f\uff0c\u3001\u201c\u300c\uff1a:]", after[:12])[0]
    return any(verb in head for verb in _speech_words(language))


@lru_cache(maxsize=32)
def _speech_words(language: str) -> frozenset[str]:
    return lexicon("people").words("speech", language)
