"""Expiring media tokens: an HMAC over what may be read and until when.

A token is the URL-safe base64 of `scope(1) expires(8) prefix_length(2) mac(16)`. The path that
it is used on is not inside: the MAC covers it, so that the same token fails on any other path.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import struct
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from storyforge import clock
from storyforge.errors import Forbidden, SetupProblem
from storyforge.storage.store import Bucket

SECRET_BYTES = 32  # 256 bits, the floor for HMAC-SHA256 keys (RFC 2104, section 3)
_MAC_BYTES = 16  # 128 bits: nothing to guess within a token's life
_HEAD = struct.Struct(">BQH")
_EXACT, _PREFIX = 1, 2
_REFUSED = "This media address is not valid or has expired; load the page again for a new one."


class TokenSigner:
    """Makes and checks media tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise SetupProblem(
                f"The media secret has {len(secret)} bytes; at least {SECRET_BYTES} are needed. "
                "Remove its file: a new one is made at the next start."
            )
        self._secret = secret

    def sign_key(
        self, bucket: Bucket, key: str, expires_at: datetime, download_name: str = ""
    ) -> str:
        """A token for one object, and for that download name only."""
        return self._sign(_EXACT, expires_at, f"{bucket}/{key}", download_name)

    def sign_prefix(self, bucket: Bucket, prefix: str, expires_at: datetime) -> str:
        """A token for every key that begins with `prefix`, e.g. all media of one scene."""
        if not prefix.endswith("/"):
            raise ValueError("a prefix token ends at a slash, or it would open its neighbours")
        return self._sign(_PREFIX, expires_at, f"{bucket}/{prefix}", "")

    def verify(self, token: str, bucket: str, key: str, download_name: str = "") -> datetime:
        """When the token ends; `Forbidden` when it is forged, expired or made for another path."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as exc:
            raise Forbidden(_REFUSED) from exc
        if len(raw) != _HEAD.size + _MAC_BYTES:
            raise Forbidden(_REFUSED)
        scope, expires, length = _HEAD.unpack_from(raw)
        path = f"{bucket}/{key}"
        covered, name = (path, download_name) if scope == _EXACT else (path[:length], "")
        if not hmac.compare_digest(raw[_HEAD.size :], self._mac(raw[: _HEAD.size], covered, name)):
            raise Forbidden(_REFUSED)
        if expires <= clock.utc_now().timestamp():
            raise Forbidden(_REFUSED)
        return datetime.fromtimestamp(expires, tz=UTC)

    def _sign(self, scope: int, expires_at: datetime, covered: str, name: str) -> str:
        head = _HEAD.pack(scope, int(expires_at.timestamp()), len(covered))
        raw = head + self._mac(head, covered, name)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def _mac(self, head: bytes, covered: str, name: str) -> bytes:
        message = head + covered.encode() + b"\0" + name.encode()
        return hmac.digest(self._secret, message, hashlib.sha256)[:_MAC_BYTES]


def load_or_make_secret(path: Path) -> bytes:
    """The node's media secret, made on first start (mode 0600) and then kept.

    Safe when several processes start at once: all get the same secret.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secret(path)
        return bytes.fromhex(path.read_text("ascii").strip())
    except ValueError as exc:
        raise SetupProblem(
            f"The media secret file {path.name} in the data directory is damaged; remove it, "
            "a new one is made at the next start (open media addresses end then)."
        ) from exc
    except OSError as exc:
        raise SetupProblem(
            f"The media secret file {path.name} in the data directory cannot be made or read "
            f"({exc.strerror}); check the owner and mode of the data directory."
        ) from exc


def _make_secret(path: Path) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".secret-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)  # unlike rename, never replaces the one that another start made
        except FileExistsError:
            return
    finally:
        Path(name).unlink()


def signed_media_path(
    signer: TokenSigner,
    base_url: str,
    bucket: Bucket,
    key: str,
    ttl_s: int,
    download_name: str | None,
) -> str:
    """The path on this node that reads one object: `{base}/signed/{token}/{bucket}/{key}`."""
    expires_at = clock.utc_now() + timedelta(seconds=ttl_s)
    token = signer.sign_key(bucket, key, expires_at, download_name or "")
    query = f"?{urlencode({'download': download_name})}" if download_name else ""
    return f"{base_url}/signed/{token}/{bucket}/{key}{query}"
