"""Pulling by the hub's real client: files, resume, damage, full disks, sharing, two at once."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from huggingface_hub import constants

from models_cache import pull as pull_module
from models_cache.store import ModelStore
from storyforge.errors import (
    DiskFull,
    Forbidden,
    ModelRefused,
    NotFound,
    SetupProblem,
    Unavailable,
    WeightsDamaged,
)
from tests.models_cache.conftest import NewStore, video_files, weights
from tests.models_cache.hub_server import COMMIT, HubServer, Repo

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_pull_brings_what_a_loader_needs_and_nothing_else(
    store: ModelStore, hub: HubServer
) -> None:
    manifest = store.pull("a")
    folder = store.open("a")
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == {file.path for file in manifest.files}
    assert found == set(video_files()) - {"README.md", "assets/logo.png"}
    assert manifest.commit == COMMIT
    assert (folder / WEIGHTS).read_bytes() == video_files()[WEIGHTS]
    assert store.layout.stagings("a") == []


def test_a_second_pull_of_a_pinned_commit_asks_the_hub_nothing(
    new_store: NewStore, hub: HubServer
) -> None:
    store = new_store()
    own = store.layout.own_catalogue / "own.toml"
    own.write_text(own.read_text().replace('"main"', f'"{COMMIT}"'))
    hub.repos["test/a"] = Repo(video_files())
    store.pull("a")
    hub.requests.clear()
    store.pull("a")
    assert hub.requests == []


def test_a_broken_connection_is_resumed_within_a_pull(store: ModelStore, hub: HubServer) -> None:
    hub.repos["test/a"].cuts[WEIGHTS] = [10_000]
    store.pull("a")
    # Only whole chunks of 4096 bytes are kept from the first answer.
    assert hub.ranges == [f"{WEIGHTS} bytes=8192-"]
    assert hub.sent[WEIGHTS] == 10_000 + len(video_files()[WEIGHTS]) - 8192


def test_an_interrupted_pull_is_resumed_by_the_next_process(
    store: ModelStore, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos["test/a"].cuts[WEIGHTS] = [20_000]
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", _killed)
    with pytest.raises(KeyboardInterrupt):
        store.pull("a")
    monkeypatch.undo()
    before = dict(hub.sent)
    ModelStore(store.layout.root, hub_url=hub.url, reserve_bytes=0).pull("a")
    assert hub.ranges == [f"{WEIGHTS} bytes=16384-"]
    assert hub.sent[WEIGHTS] - before[WEIGHTS] == len(video_files()[WEIGHTS]) - 16384
    small = {path: sent for path, sent in hub.sent.items() if path != WEIGHTS}
    assert small == {path: sent for path, sent in before.items() if path != WEIGHTS}


def _killed(_seconds: float) -> None:
    raise KeyboardInterrupt


def test_a_server_that_is_gone_leaves_what_came(store: ModelStore, hub: HubServer) -> None:
    hub.stop()
    with pytest.raises(Unavailable, match="pull again"):
        store.pull("a")


def test_a_file_that_is_not_what_the_hub_lists_is_refused(
    store: ModelStore, hub: HubServer
) -> None:
    good = video_files()[WEIGHTS]
    bad = good[:-1] + bytes([good[-1] ^ 1])
    hub.repos["test/a"].files[WEIGHTS] = bad
    hub.repos["test/a"].shown[WEIGHTS] = good
    with pytest.raises(WeightsDamaged, match=WEIGHTS):
        store.pull("a")
    with pytest.raises(NotFound):
        store.open("a")
    hub.repos["test/a"].files[WEIGHTS] = good
    store.pull("a")
    assert (store.open("a") / WEIGHTS).read_bytes() == good


def test_a_damaged_small_file_is_refused_too(store: ModelStore, hub: HubServer) -> None:
    path = "transformer/config.json"
    hub.repos["test/a"].shown[path] = b'{"num_layers": 2}'
    with pytest.raises(WeightsDamaged, match=path):
        store.pull("a")


def test_a_damaged_older_piece_is_thrown_away_and_brought_anew(
    store: ModelStore, hub: HubServer
) -> None:
    part = store.layout.staging("a", COMMIT) / (WEIGHTS + ".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 8192)
    store.pull("a")
    assert (store.open("a") / WEIGHTS).read_bytes() == video_files()[WEIGHTS]


def test_a_file_longer_than_listed_never_fills_the_disk(store: ModelStore, hub: HubServer) -> None:
    hub.repos["test/a"].shown[WEIGHTS] = weights(0, 10_000)
    with pytest.raises(ModelRefused, match="longer"):
        store.pull("a")


def test_a_disk_that_fills_up_meanwhile_says_how_much_is_missing(
    new_store: NewStore, hub: HubServer, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos["test/a"] = Repo(video_files(size_bytes=400_000))
    store = new_store(tiny_disk / "models")
    # When the pull began the disk looked large enough; others filled it since.
    monkeypatch.setattr(pull_module, "shutil", _Lying(DiskUsage(10**12, 0, 10**12)))
    with pytest.raises(DiskFull, match=r"[12]\d\d kB more are needed"):
        store.pull("a")


class _Lying:
    """The shutil of a disk that looked large enough when the pull began."""

    def __init__(self, usage: DiskUsage) -> None:
        self.disk_usage = lambda _path: usage
        self.rmtree = shutil.rmtree


def test_a_disk_that_is_too_small_is_seen_before_any_weights_come(
    store: ModelStore, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: DiskUsage(50_000, 0, 50_000))
    with pytest.raises(DiskFull, match="30 kB more"):
        store.pull("a")
    assert WEIGHTS not in hub.sent


def test_a_file_that_another_model_has_is_shared(new_store: NewStore, hub: HubServer) -> None:
    store = new_store()
    hub.repos["test/a"] = Repo(video_files(seed=1))
    hub.repos["test/b"] = Repo(video_files(seed=2), commit="b" * 40)
    store.pull("a")
    encoder = "text_encoder/model-00001-of-00001.safetensors"
    sent = hub.sent[encoder]
    store.pull("b")
    assert hub.sent[encoder] == sent
    assert (store.open("a") / encoder).samefile(store.open("b") / encoder)
    store.remove("a")
    assert (store.open("b") / encoder).read_bytes() == video_files()[encoder]


def test_a_damaged_file_of_another_model_is_not_shared(new_store: NewStore, hub: HubServer) -> None:
    store = new_store()
    hub.repos["test/a"] = Repo(video_files(seed=1))
    hub.repos["test/b"] = Repo(video_files(seed=2), commit="b" * 40)
    store.pull("a")
    encoder = store.open("a") / "text_encoder/model-00001-of-00001.safetensors"
    _flip(encoder)
    store.pull("b")
    assert store.verify("b").name == "b"


def test_a_damaged_model_is_healed_by_a_pull(store: ModelStore, hub: HubServer) -> None:
    store.pull("a")
    _flip(store.open("a") / WEIGHTS)
    store.pull("a")
    assert store.verify("a").name == "a"


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_new_commit_of_the_branch_replaces_the_old_one(store: ModelStore, hub: HubServer) -> None:
    store.pull("a")
    old = store.open("a")
    hub.repos["test/a"] = Repo(video_files(seed=5), commit="d" * 40)
    store.pull("a")
    assert store.open("a") != old
    assert not old.exists()


def test_two_pulls_of_one_model_at_once_bring_it_once(store: ModelStore, hub: HubServer) -> None:
    both_asked = threading.Event()
    said: list[str] = []

    class Ear:
        def begin(self, doing: str, total_bytes: int, done_bytes: int) -> None: ...
        def advance(self, count: int) -> None: ...
        def say(self, text: str) -> None:
            said.append(text)
            both_asked.set()

    def wait_for_both() -> None:
        both_asked.wait(10)

    hub.repos["test/a"].gate = lambda _path: wait_for_both()
    pulls = [threading.Thread(target=store.pull, args=("a", Ear())) for _ in range(2)]
    for one in pulls:
        one.start()
    for one in pulls:
        one.join()
    assert said == ["Another process pulls a; waiting for it."]
    assert hub.sent[WEIGHTS] == len(video_files()[WEIGHTS])
    assert store.verify("a").name == "a"


def test_a_gated_model_says_how_to_get_in(store: ModelStore, hub: HubServer) -> None:
    hub.repos["test/a"].gated = True
    with pytest.raises(Forbidden, match="STORYFORGE_MODELS_TOKEN"):
        store.pull("a")
    with_token = ModelStore(store.layout.root, hub_url=hub.url, token="s3cret", reserve_bytes=0)
    with_token.pull("a")
    assert hub.tokens == {"", "Bearer s3cret"}


def test_the_clients_own_token_never_goes_to_a_mirror(
    store: ModelStore, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", "of-the-login")
    store.pull("a")
    assert hub.tokens == {""}


def test_an_unknown_repository_and_an_unknown_commit_are_not_found(
    new_store: NewStore, hub: HubServer
) -> None:
    store = new_store()
    with pytest.raises(NotFound, match="test/a"):
        store.pull("a")
    own = store.layout.own_catalogue / "own.toml"
    own.write_text(own.read_text().replace('"main"', f'"{"e" * 40}"'))
    hub.repos["test/a"] = Repo(video_files())
    with pytest.raises(NotFound, match="commit"):
        store.pull("a")


def test_a_mirror_without_encryption_must_be_this_host(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, hub_url="http://mirror.example")
    with pytest.raises(SetupProblem, match="https"):
        store.pull("wan2.1-t2v-1.3b")


def test_a_hub_that_answers_with_another_commit_is_refused(
    new_store: NewStore, hub: HubServer
) -> None:
    store = new_store()
    own = store.layout.own_catalogue / "own.toml"
    own.write_text(own.read_text().replace('"main"', f'"{COMMIT}"'))
    hub.repos["test/a"] = Repo(video_files(), answers_commit="f" * 40)
    with pytest.raises(ModelRefused, match="another commit"):
        store.pull("a")
