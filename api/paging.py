"""Keyset pages: constant cost per page, however long the list is."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query

from storyforge.domain.wire import Wire

T = TypeVar("T")

MAX_LIMIT = 200
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page.")]


class Page(Wire, Generic[T]):
    """One page; `next_cursor` asks for the following one, None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None = None
