"""The Content-Disposition header of a download (RFC 6266)."""

from __future__ import annotations

import re
from urllib.parse import quote

NAME_LIMIT_CHARS = 150
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/]')


def attachment(download_name: str) -> str:
    """Make the browser save the answer under this name, also when it is not ASCII."""
    name = _UNSAFE.sub("_", download_name).strip()[:NAME_LIMIT_CHARS] or "download"
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    header = f'attachment; filename="{ascii_name}"'
    if ascii_name != name:
        header += f"; filename*=UTF-8''{quote(name, safe='')}"
    return header
