"""The JSON schema that an engine is asked to keep to, made from the shape of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

# Told to people and validators, of no use to a grammar.
_UNSAID = frozenset({"title", "description", "default", "examples"})
# xgrammar 0.2.8 takes up to half a minute for bounded strings, and then lets raw control
# characters through; guidance does neither.
_STRING_BOUNDS = frozenset({"minLength", "maxLength"})


@cache
def engine_schema(shape: type[BaseModel], *, bounded_strings: bool) -> Mapping[str, Any]:
    """The schema of `shape`: every field required, nothing besides, references kept.

    bounded_strings: whether the engine is told how long strings may be; the answer is cut to
    length afterwards in any case.
    """
    left_out = _UNSAID if bounded_strings else _UNSAID | _STRING_BOUNDS
    schema = _said(shape.model_json_schema(by_alias=True), left_out)
    assert isinstance(schema, dict)
    return schema


def _said(node: Any, left_out: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_said(one, left_out) for one in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key in {"properties", "$defs"}:  # names here are fields, not keywords
            kept[key] = {name: _said(one, left_out) for name, one in value.items()}
        elif key not in left_out:
            kept[key] = _said(value, left_out)
    if kept.get("type") == "object" and "properties" in kept:
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept
