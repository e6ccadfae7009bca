"""The base of every record that crosses a border as JSON: frozen, camelCase on the wire."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A frozen record; Python names are snake_case, JSON names camelCase."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, ser_json_inf_nan="null"
    )

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict with camelCase keys."""
        return self.model_dump(mode="json", by_alias=True)


def content_hash(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`, a Wire record or JSON-ready data."""
    data = value.to_json() if isinstance(value, Wire) else value
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
