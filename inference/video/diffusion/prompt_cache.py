"""Keeps prompt embeddings, so that a text encoder runs once per prompt."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PromptCache(Generic[T]):
    """The least recently used goes first; the negative prompt stays. Not for several threads."""

    def __init__(self, encode: Callable[[str], T], negative_prompt: str, kept: int) -> None:
        self._encode = encode
        self._negative_prompt = negative_prompt
        self._negative: T | None = None
        self._kept = max(1, kept)
        self._held: OrderedDict[str, T] = OrderedDict()

    def negative(self) -> T:
        """The embedding of the negative prompt."""
        if self._negative is None:
            self._negative = self._encode(self._negative_prompt)
        return self._negative

    def positive(self, prompt: str) -> T:
        """The embedding of a prompt, encoded when it is not held."""
        key = hashlib.sha256(prompt.encode()).hexdigest()
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        made = self._encode(prompt)
        self._held[key] = made
        while len(self._held) > self._kept:
            self._held.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._held)
