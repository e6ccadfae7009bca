"""Fences around text that is data: marks that its author cannot know, and a canary in our own words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata

_NONCE_CHARS = 12
_CANARY_CHARS = 24
# Marks by which chat templates tell roles apart: a server reads them inside a message too.
_BRACKETS = str.maketrans({"<": "\u2039", ">": "\u203a"})
_ROLE_MARK = re.compile(r"\[(/?[A-Z_]{3,})\]")
_KEPT_CONTROLS = "\n"
_BLANK_LINES = re.compile(r"\n{3,}")


class Fences:
    """Marks derived from one secret of this node.

    The same data always gets the same marks, so that a server recognises the beginning of a prompt
    that it has computed before; without the secret nobody can foretell them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @property
    def canary(self) -> str:
        """A word of our instructions that must never come out."""
        return _letters(self._mac("canary"))[:_CANARY_CHARS]

    def nonce(self, text: str) -> str:
        """The mark of the fence around this text."""
        return _letters(self._mac("fence", text))[:_NONCE_CHARS]

    def _mac(self, *parts: str) -> bytes:
        message = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, hashlib.sha256)


def as_data(text: str) -> str:
    """Foreign text as the model gets to see it: nothing in it can end a fence or open a role.

    Angle brackets become the small ones that quote; control characters, lone surrogates and
    characters that nobody sees are left out.
    """
    told = "".join(char for char in text if _is_shown(char)).translate(_BRACKETS)
    told = _ROLE_MARK.sub(r"(\1)", told)
    return _BLANK_LINES.sub("\n\n", unicodedata.normalize("NFC", told)).strip()


def _is_shown(char: str) -> bool:
    if char in _KEPT_CONTROLS or char == "\u200d":  # joins emoji and letters of some scripts
        return True
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"} or char == "\u200c"


def _letters(mac: bytes) -> str:
    return base64.b32encode(mac).decode("ascii").rstrip("=").lower()
