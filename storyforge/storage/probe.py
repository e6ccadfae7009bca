"""The part of the start-up probe that every store answers through the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

from storyforge.errors import StoryForgeError
from storyforge.storage.ranges import ByteRange
from storyforge.storage.store import Bucket, ObjectStore, ProbeCheck, read_all

_DATA = b"StoryForge start-up probe"
_LIMIT_BYTES = 1024


def probe_store(store: ObjectStore) -> Iterator[ProbeCheck]:
    """Put, read back, read a part, list and delete in each bucket; ends at the first lack."""
    for bucket in Bucket:
        key = f"probe/{uuid4()}"
        for name, try_it, cure in _steps(store, bucket, key):
            check = run_check(f"{name} in the {bucket} bucket", try_it, cure)
            yield check
            if not check.passed:
                return


def run_check(name: str, try_it: Callable[[], str], cure: str) -> ProbeCheck:
    """One check: `try_it` gives what is wrong, or nothing."""
    try:
        wrong = try_it()
    except StoryForgeError as exc:
        wrong = exc.detail
    return ProbeCheck(name, passed=not wrong, detail=wrong or "ok", cure=cure if wrong else "")


def _steps(
    store: ObjectStore, bucket: Bucket, key: str
) -> Iterator[tuple[str, Callable[[], str], str]]:
    def put() -> str:
        store.put_bytes(bucket, key, _DATA, content_type="text/plain")
        return ""

    def read_back() -> str:
        info = store.head(bucket, key)
        if info is None or info.size_bytes != len(_DATA) or info.content_type != "text/plain":
            return "an object just put is not there, or not as it was put."
        same = store.get_bytes(bucket, key, _LIMIT_BYTES) == _DATA
        return "" if same else "an object just put has another content."

    def read_range() -> str:
        with store.open(bucket, key, ByteRange(2, 4)) as opened:
            return "" if read_all(opened, _LIMIT_BYTES) == _DATA[2:5] else "a byte range is wrong."

    def list_it() -> str:
        keys = [listed.key for listed in store.list(bucket, key)]
        return "" if keys == [key] else "an object just put is not listed."

    def delete() -> str:
        store.delete(bucket, key)
        return "" if store.head(bucket, key) is None else "a deleted object is still there."

    yield "put", put, "Allow writing objects."
    yield "read back", read_back, "Allow reading objects; use a store that reads what it wrote."
    yield "byte range", read_range, "Use a store that answers Range requests."
    yield "list", list_it, "Allow listing the bucket."
    yield "delete", delete, "Allow deleting objects."
