"""The filesystem store: crashes, full disks, links and strangers in its directory."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storyforge.errors import (
    DiskFull,
    NotFound,
    ObjectDamaged,
    StorageDenied,
    StoreUnreachable,
    StoryForgeError,
)
from storyforge.storage import Bucket, TokenSigner
from storyforge.storage import filesystem as module
from storyforge.storage.filesystem import FilesystemStore

SIGNER = TokenSigner(b"k" * 32)
KEY = "videos/s/g/720p.m3u8"
OLD, NEW = b"old " * 1000, b"new " * 1001
STEPS = ("sync_file", "make_directories", "locked", "read_record", "sync_directory")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> FilesystemStore:
    return FilesystemStore(root, SIGNER)


def _put(store: FilesystemStore, data: bytes, key: str = KEY) -> None:
    content_type = "text/old" if data == OLD else "text/new"
    store.put_bytes(Bucket.VIDEOS, key, data, content_type=content_type)


def _pair(store: FilesystemStore) -> tuple[str, bytes]:
    with store.open(Bucket.VIDEOS, KEY) as opened:
        return opened.info.content_type, b"".join(opened)


def _files(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    )


class Crash(BaseException):
    """A power cut: nothing of ours handles it."""


def _fail_at(
    monkeypatch: pytest.MonkeyPatch, number: int, error: Callable[[], BaseException]
) -> Callable[[], int]:
    """Raise at the n-th disk step of a put; the result tells how many steps were begun."""
    begun = 0

    def counting(original: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **named: object) -> object:
            nonlocal begun
            begun += 1
            if begun == number:
                raise error()
            return original(*args, **named)

        return step

    for name in STEPS:
        monkeypatch.setattr(module, name, counting(getattr(module, name)))
    monkeypatch.setattr(Path, "replace", counting(Path.replace))
    return lambda: begun


def _steps_of_a_put(tmp_path: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        store = FilesystemStore(tmp_path / "counted", SIGNER)
        begun = _fail_at(patch, -1, Crash)
        _put(store, NEW)
        return begun()


def test_a_crash_at_any_step_leaves_the_old_pair_or_the_new_one(tmp_path: Path) -> None:
    steps = _steps_of_a_put(tmp_path)
    assert steps >= 7
    seen = set()
    for number in range(1, steps + 1):
        root = tmp_path / str(number)
        _put(FilesystemStore(root, SIGNER), OLD)
        with pytest.MonkeyPatch.context() as patch:
            store = FilesystemStore(root, SIGNER)
            _fail_at(patch, number, Crash)
            with pytest.raises(Crash):
                _put(store, NEW)
        again = FilesystemStore(root, SIGNER)
        pair = _pair(again)
        seen.add(pair)
        assert pair in {("text/old", OLD), ("text/new", NEW)}
        _put(again, NEW)
        assert _pair(again) == ("text/new", NEW)
        again.abort_stale_uploads(older_than_s=0)
        assert len(_files(root)) == 2, _files(root)
    assert seen == {("text/old", OLD), ("text/new", NEW)}


def test_replaced_content_is_removed_at_once(store: FilesystemStore, root: Path) -> None:
    _put(store, OLD)
    _put(store, NEW)
    assert len(_files(root)) == 2, _files(root)


def test_a_put_during_a_delete_of_the_same_object_survives_it(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(store, NEW)
    unlink = Path.unlink
    putting = threading.Thread(target=_put, args=(store, NEW))

    def put_in_between(path: Path, missing_ok: bool = False) -> None:
        if "720p.m3u8," in path.name and not path.name.endswith("json"):
            monkeypatch.setattr(Path, "unlink", unlink)
            putting.start()
            putting.join(0.5)  # it must wait until this delete is over
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", put_in_between)
    store.delete(Bucket.VIDEOS, KEY)
    putting.join()
    assert _pair(store) == ("text/new", NEW)


WRITER = """
import sys
from pathlib import Path
from storyforge.storage import Bucket, TokenSigner
from storyforge.storage.filesystem import FilesystemStore
store = FilesystemStore(Path(sys.argv[1]), TokenSigner(b"k" * 32))
print("ready", flush=True)
while True:
    for name, data in (("old", b"old " * 1000), ("new", b"new " * 1001)):
        store.put_bytes(
            Bucket.VIDEOS, "videos/s/g/720p.m3u8", data, content_type=f"text/{name}"
        )
"""


def test_writers_killed_at_any_moment_never_leave_a_mixed_pair(
    store: FilesystemStore, root: Path
) -> None:
    _put(store, OLD)
    for round_number in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, cwd=Path.cwd()
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        for _ in range(10 + round_number):
            assert _pair(store) in {("text/old", OLD), ("text/new", NEW)}
        time.sleep(0.003 * round_number)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert _pair(store) in {("text/old", OLD), ("text/new", NEW)}
    store.abort_stale_uploads(older_than_s=0)
    assert len(_files(root)) == 2, _files(root)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_f55_a_full_disk_at_any_step_is_disk_full_and_leaves_nothing_half(
    tmp_path: Path, code: int
) -> None:
    for number in range(1, _steps_of_a_put(tmp_path) + 1):
        root = tmp_path / f"{number}"
        with pytest.MonkeyPatch.context() as patch:
            store = FilesystemStore(root, SIGNER)
            _fail_at(patch, number, lambda: OSError(code, os.strerror(code)))
            with pytest.raises(DiskFull) as caught:
                _put(store, NEW)
        assert str(tmp_path) not in caught.value.detail
        assert list((root / ".uploads").iterdir()) == []
        info = store.head(Bucket.VIDEOS, KEY)
        assert info is None or _pair(store) == ("text/new", NEW)
        _put(store, NEW)
        assert _pair(store) == ("text/new", NEW)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root with CAP_SYS_ADMIN")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_f55_a_really_full_disk_is_disk_full_and_recovers(small_disk: Path, tmp_path: Path) -> None:
    store = FilesystemStore(small_disk / "objects", SIGNER)
    _put(store, OLD)
    long = tmp_path / "long.ts"
    long.write_bytes(b"x" * 2_000_000)
    with pytest.raises(DiskFull, match="free some space"):
        store.put_file(Bucket.VIDEOS, KEY, long, content_type="video/mp2t")
    assert _pair(store) == ("text/old", OLD)
    filler = 0
    with contextlib.suppress(DiskFull):
        while True:
            _put(store, b"y" * 50_000, f"fill/{filler}")
            filler += 1
    assert filler > 10
    assert list((small_disk / "objects" / ".uploads").iterdir()) == []
    store.delete_many(Bucket.VIDEOS, [f"fill/{number}" for number in range(filler)])
    _put(store, NEW)
    assert _pair(store) == ("text/new", NEW)


def test_a_directory_behind_a_link_is_refused(store: FilesystemStore, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("secret")
    (root / "videos" / "linked").symlink_to(outside)
    (root / "videos" / "inner").symlink_to(root / "exports")
    for name in ("linked", "inner"):
        for call in (
            lambda name=name: _put(store, NEW, f"{name}/passwd"),
            lambda name=name: store.head(Bucket.VIDEOS, f"{name}/passwd"),
            lambda name=name: store.open(Bucket.VIDEOS, f"{name}/passwd"),
            lambda name=name: store.delete(Bucket.VIDEOS, f"{name}/passwd"),
            lambda name=name: store.local_path(Bucket.VIDEOS, f"{name}/passwd"),
            lambda name=name: list(store.list(Bucket.VIDEOS, f"{name}/")),
        ):
            with pytest.raises(StorageDenied, match="symbolic"):
                call()
    assert (outside / "passwd").read_text() == "secret"
    assert list(store.list(Bucket.VIDEOS)) == []


def test_content_replaced_by_a_link_is_not_followed(store: FilesystemStore, root: Path) -> None:
    _put(store, NEW)
    content = store.local_path(Bucket.VIDEOS, KEY)
    assert content is not None
    outside = root.parent / "outside"
    outside.write_bytes(NEW)
    content.unlink()
    content.symlink_to(outside)
    with pytest.raises((StorageDenied, NotFound)):
        store.open(Bucket.VIDEOS, KEY)


def test_a_root_that_is_itself_a_link_works(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = FilesystemStore(tmp_path / "link" / "objects", SIGNER)
    _put(store, NEW)
    assert _pair(store) == ("text/new", NEW)


def test_content_altered_on_the_disk_is_noticed(store: FilesystemStore) -> None:
    _put(store, NEW)
    content = store.local_path(Bucket.VIDEOS, KEY)
    assert content is not None
    content.write_bytes(b"X" + NEW[1:])
    with pytest.raises(ObjectDamaged, match=KEY):
        store.get_bytes(Bucket.VIDEOS, KEY, 10_000)
    content.write_bytes(NEW[:-1])
    assert store.head(Bucket.VIDEOS, KEY) is None


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b'{"sha256": 1}', b"\xff"])
def test_an_unreadable_record_is_no_object_and_can_be_put_again(
    store: FilesystemStore, root: Path, record: bytes
) -> None:
    _put(store, NEW)
    (root / "videos" / f"{KEY},json").write_bytes(record)
    assert store.head(Bucket.VIDEOS, KEY) is None
    assert list(store.list(Bucket.VIDEOS)) == []
    _put(store, NEW)
    assert _pair(store) == ("text/new", NEW)


def test_deleting_leaves_no_file_and_no_empty_directory(store: FilesystemStore, root: Path) -> None:
    _put(store, NEW)
    _put(store, NEW, "videos/s/other")
    store.delete(Bucket.VIDEOS, KEY)
    assert (root / "videos/videos/s").is_dir()
    assert not (root / "videos/videos/s/g").exists()
    store.delete(Bucket.VIDEOS, "videos/s/other")
    assert _files(root) == []
    assert (root / "videos").is_dir()
    assert not (root / "videos/videos").exists()


def test_a_reader_keeps_its_content_while_the_object_is_deleted(store: FilesystemStore) -> None:
    _put(store, NEW)
    with store.open(Bucket.VIDEOS, KEY) as opened:
        store.delete(Bucket.VIDEOS, KEY)
        assert b"".join(opened) == NEW


def test_young_leftovers_stay_and_old_ones_are_cleared(store: FilesystemStore, root: Path) -> None:
    _put(store, NEW)
    leftover = root / ".uploads" / "tmpleft"
    orphan = root / "videos" / f"{KEY},{'0' * 64}"
    for path in (leftover, orphan):
        path.write_bytes(b"half")
    assert store.abort_stale_uploads(older_than_s=3600) == 0
    assert store.abort_stale_uploads(older_than_s=-1) == 2
    assert not leftover.exists()
    assert not orphan.exists()
    assert _pair(store) == ("text/new", NEW)


def test_putting_and_deleting_neighbours_at_once_loses_nothing(store: FilesystemStore) -> None:
    failures: list[StoryForgeError] = []
    stop = threading.Event()

    def churn(number: int) -> None:
        key = f"videos/s/g/{number}"
        try:
            while not stop.is_set():
                _put(store, NEW, key)
                if store.get_bytes(Bucket.VIDEOS, key, 10_000) != NEW:
                    raise StoreUnreachable("another content")
                store.delete(Bucket.VIDEOS, key)
        except StoryForgeError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_directory_that_cannot_be_made_says_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreachable, match="data directory") as caught:
        FilesystemStore(tmp_path / "file" / "objects", SIGNER)
    assert str(tmp_path) not in caught.value.detail
