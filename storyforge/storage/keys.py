"""Which object keys are allowed: a set that every store and every URL carries unchanged."""

from __future__ import annotations

import re

from storyforge.errors import InvalidInput

KEY_LIMIT_BYTES = 1024  # S3's limit
# 255 bytes is the limit of a file name; the filesystem store adds a comma and a sha256 to a part.
PART_LIMIT_BYTES = 180
# No leading dot or dash, nothing that a URL, a shell or an S3 signature treats specially.
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*", re.ASCII)


def check_key(key: str) -> str:
    """The key itself when it is allowed; `InvalidInput` saying why otherwise."""
    if not key or len(key) > KEY_LIMIT_BYTES:
        raise InvalidInput(
            f"An object key has 1 to {KEY_LIMIT_BYTES} bytes; this one has {len(key)}."
        )
    for part in key.split("/"):
        if len(part) > PART_LIMIT_BYTES or not _PART.fullmatch(part):
            raise InvalidInput(
                f"The object key part {part[:40]!r} is not allowed: each part between slashes "
                "begins with a letter, digit or underscore and goes on with these or . = - "
                f"(at most {PART_LIMIT_BYTES} characters)."
            )
    return key


def check_prefix(prefix: str) -> str:
    """A listing prefix: empty, or the beginning of an allowed key."""
    whole, slash, partial = prefix.rpartition("/")
    if slash:
        check_key(whole)
    if partial:
        check_key(partial)
    return prefix
