"""Media tokens: what they open, for how long, and for nobody else."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge import clock
from storyforge.errors import Forbidden, SetupProblem
from storyforge.settings import Settings
from storyforge.storage import Bucket, TokenSigner, open_signer, open_store, tokens
from storyforge.storage.tokens import load_or_make_secret

SIGNER = TokenSigner(b"k" * 32)
KEY = "videos/scene-a/seg/720p.m3u8"


def _soon() -> datetime:
    return clock.utc_now() + timedelta(seconds=60)


def test_a_key_token_opens_its_key_only() -> None:
    ends = _soon()
    token = SIGNER.sign_key(Bucket.VIDEOS, KEY, ends)
    assert SIGNER.verify(token, Bucket.VIDEOS, KEY) == ends.replace(microsecond=0)
    for bucket, key, name in (
        (Bucket.VIDEOS, KEY + "x", ""),
        (Bucket.VIDEOS, KEY[:-1], ""),
        (Bucket.ASSETS, KEY, ""),
        (Bucket.VIDEOS, KEY, "other-name.mp4"),
    ):
        with pytest.raises(Forbidden):
            SIGNER.verify(token, bucket, key, name)


def test_a_prefix_token_opens_everything_below_it_and_no_neighbour() -> None:
    token = SIGNER.sign_prefix(Bucket.VIDEOS, "videos/scene-a/", _soon())
    SIGNER.verify(token, Bucket.VIDEOS, KEY)
    SIGNER.verify(token, Bucket.VIDEOS, "videos/scene-a/other/720p_0001.ts")
    for bucket, key in (
        (Bucket.VIDEOS, "videos/scene-ab/x"),
        (Bucket.VIDEOS, "videos/scene-b/x"),
        (Bucket.VIDEOS, "videos/scene-a"),
        (Bucket.ASSETS, KEY),
    ):
        with pytest.raises(Forbidden):
            SIGNER.verify(token, bucket, key)


def test_a_prefix_must_end_at_a_slash() -> None:
    with pytest.raises(ValueError, match="slash"):
        SIGNER.sign_prefix(Bucket.VIDEOS, "videos/scene-a", _soon())


def test_an_expired_token_is_refused() -> None:
    past = clock.utc_now() - timedelta(seconds=1)
    for token in (
        SIGNER.sign_key(Bucket.VIDEOS, KEY, past),
        SIGNER.sign_prefix(Bucket.VIDEOS, "videos/", past),
    ):
        with pytest.raises(Forbidden, match="expired"):
            SIGNER.verify(token, Bucket.VIDEOS, KEY)


def test_another_secret_is_refused() -> None:
    token = TokenSigner(b"q" * 32).sign_key(Bucket.VIDEOS, KEY, _soon())
    with pytest.raises(Forbidden):
        SIGNER.verify(token, Bucket.VIDEOS, KEY)


@given(position=st.integers(0, 35), replacement=st.sampled_from("ABCXYZabc019-_"))
def test_a_token_with_any_character_changed_is_refused(position: int, replacement: str) -> None:
    token = SIGNER.sign_prefix(Bucket.VIDEOS, "videos/scene-a/", _soon())
    assert len(token) == 36
    forged = token[:position] + replacement + token[position + 1 :]
    if forged != token:
        with pytest.raises(Forbidden):
            SIGNER.verify(forged, Bucket.VIDEOS, KEY)


@given(garbage=st.text(max_size=80))
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(Forbidden):
        SIGNER.verify(garbage, Bucket.VIDEOS, KEY)


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "media.secret"
    first = load_or_make_secret(path)
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_secret(path) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["media.secret"]


def test_a_second_start_never_replaces_the_secret_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "media.secret"
    first = load_or_make_secret(path)
    tokens._make_secret(path)  # as a start does that looked before the first one wrote
    assert load_or_make_secret(path) == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["media.secret"]


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from storyforge.storage.tokens import load_or_make_secret\n"
        "sys.stdin.readline()\n"
        "print(load_or_make_secret(Path(sys.argv[1])).hex())"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "media.secret")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path.cwd(),
        )
        for _ in range(4)
    ]
    secrets = {process.communicate("go\n", timeout=60)[0] for process in starting}
    assert len(secrets) == 1
    assert len(secrets.pop().strip()) == 64


@pytest.mark.parametrize("content", ["", "not hex", "abcd", "é"])
def test_a_damaged_secret_stops_the_start_and_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "media.secret").write_text(content)
    with pytest.raises(SetupProblem, match=r"[Rr]emove") as caught:
        open_signer(Settings(node={"data_dir": tmp_path}))
    assert str(tmp_path) not in caught.value.detail


def test_the_default_store_signs_with_the_node_s_secret(tmp_path: Path) -> None:
    settings = Settings(node={"data_dir": tmp_path})
    url = open_store(settings).presigned_get(Bucket.EXPORTS, "exports/a.mp4", 60, "Die Höhle.mp4")
    media, signed, token, path = url.lstrip("/").split("/", 3)
    assert (media, signed) == ("media", "signed")
    assert path == "exports/exports/a.mp4?download=Die+H%C3%B6hle.mp4"
    open_signer(settings).verify(token, Bucket.EXPORTS, "exports/a.mp4", "Die Höhle.mp4")
