"""Opening offline and whole, the budget and its evictions, pins, removal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models_cache import integrity
from models_cache.store import ModelStore, model_store
from storyforge.errors import Conflict, DiskFull, InvalidInput, NotFound, WeightsDamaged
from storyforge.settings import ModelsSettings, NodeSettings, Settings
from tests.models_cache.conftest import NewStore, video_files
from tests.models_cache.hub_server import HubServer, Repo

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
HOLD = """
import sys
from pathlib import Path
from models_cache.store import ModelStore
pin = ModelStore(Path(sys.argv[1])).pin(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("path", [WEIGHTS, "transformer/config.json", "tokenizer/spiece.model"])
def test_one_flipped_byte_is_refused_by_name(store: ModelStore, path: str) -> None:
    store.pull("a")
    flip(store.open("a") / path)
    with pytest.raises(WeightsDamaged, match=path):
        store.open("a")
    with pytest.raises(WeightsDamaged, match=path):
        store.verify("a")


def test_a_flipped_byte_with_its_old_time_is_refused_too(store: ModelStore) -> None:
    store.pull("a")
    path = store.open("a") / WEIGHTS
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(WeightsDamaged):
        store.open("a")


def test_a_cut_off_and_a_missing_file_are_refused(store: ModelStore) -> None:
    store.pull("a")
    path = store.open("a") / WEIGHTS
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(WeightsDamaged, match="size"):
        store.open("a")
    path.unlink()
    with pytest.raises(WeightsDamaged, match="lacks"):
        store.open("a")


def test_a_file_that_was_not_pulled_is_refused(store: ModelStore) -> None:
    store.pull("a")
    (store.open("a") / "transformer/modeling.py").write_text("import os")
    with pytest.raises(WeightsDamaged, match=r"modeling\.py"):
        store.open("a")


def test_an_unchanged_file_is_read_once(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.pull("a")
    store.open("a")
    monkeypatch.setattr(integrity, "sha256_of", lambda *_: pytest.fail("read again"))
    store.open("a")
    with pytest.raises(pytest.fail.Exception):
        store.verify("a")


def test_opening_needs_no_network(store: ModelStore, hub: HubServer) -> None:
    store.pull("a")
    hub.stop()
    program = (
        "import socket, sys\n"
        "from pathlib import Path\n"
        "sys.addaudithook(lambda e, a: sys.exit(f'network: {e} {a}') if e.startswith('socket.')"
        " else None)\n"
        "from models_cache.store import ModelStore\n"
        f"print(ModelStore(Path({str(store.layout.root)!r}), hub_url={hub.url!r}).open('a'))\n"
        "assert not {'huggingface_hub', 'httpx2', 'torch'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip(), WEIGHTS).is_file()


def test_a_store_on_a_read_only_disk_can_be_opened(
    new_store: NewStore, hub: HubServer, tiny_disk: Path
) -> None:
    hub.repos["test/a"] = Repo(video_files())
    store = new_store(tiny_disk / "models")
    store.pull("a")
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    assert (store.open("a") / WEIGHTS).is_file()


def test_a_damaged_record_is_not_taken_for_no_model(store: ModelStore) -> None:
    store.pull("a")
    store.layout.manifest("a").write_text("{")
    with pytest.raises(WeightsDamaged):
        store.open("a")


def filled(new_store: NewStore, hub: HubServer, names: tuple[str, ...], budget: int) -> ModelStore:
    """A store with the models, the first opened longest ago; 120 kB each, nothing shared."""
    store = new_store(names=names, budget_bytes=budget)
    for number, name in enumerate(names):
        files = video_files(seed=number, size_bytes=80_000)
        encoder = "text_encoder/model-00001-of-00001.safetensors"
        files[encoder] = video_files(seed=50 + number)[WEIGHTS]
        hub.repos[f"test/{name}"] = Repo(files)
    return store


def pull_in_order(store: ModelStore, *names: str) -> None:
    for age, name in enumerate(names):
        store.pull(name)
        os.utime(store.layout.used(name), (1000 + age, 1000 + age))


def test_the_longest_unused_model_gives_way(new_store: NewStore, hub: HubServer) -> None:
    store = filled(new_store, hub, ("a", "b", "c"), 300_000)
    pull_in_order(store, "a", "b")
    store.open("a")
    store.pull("c")
    assert [model.name for model in store.models()] == ["a", "c"]


def test_a_pinned_and_a_queued_model_are_never_evicted(new_store: NewStore, hub: HubServer) -> None:
    store = filled(new_store, hub, ("a", "b", "c"), 300_000)
    pull_in_order(store, "a", "b")
    with store.pin("a"):
        store.pull("c")
    assert [model.name for model in store.models()] == ["a", "c"]
    with pytest.raises(DiskFull, match="STORYFORGE_MODELS_BUDGET_GB"):
        store.pull("b", keep=("a", "c"))
    assert [model.name for model in store.models()] == ["a", "c"]


def test_nothing_is_evicted_when_it_would_not_suffice(new_store: NewStore, hub: HubServer) -> None:
    store = filled(new_store, hub, ("a", "b"), 200_000)
    pull_in_order(store, "a")
    hub.repos["test/b"].files[WEIGHTS] = video_files(seed=9, size_bytes=500_000)[WEIGHTS]
    with pytest.raises(DiskFull):
        store.pull("b")
    assert [model.name for model in store.models()] == ["a"]


def test_a_pin_ends_with_its_process_however_that_ends(store: ModelStore) -> None:
    store.pull("a")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.layout.root), "a"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert store.models()[0].holders == (holder.pid,)
        with pytest.raises(Conflict, match=str(holder.pid)):
            store.remove("a")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert store.models()[0].holders == ()
    assert store.remove("a") > 80_000
    with pytest.raises(NotFound):
        store.open("a")


def test_removing_takes_what_broken_off_pulls_left(store: ModelStore, hub: HubServer) -> None:
    good = hub.repos["test/a"].files[WEIGHTS]
    hub.repos["test/a"].shown[WEIGHTS] = good[:-1] + b"x"
    with pytest.raises(WeightsDamaged):
        store.pull("a")
    assert store.layout.stagings("a") != []
    store.remove("a")
    assert store.layout.stagings("a") == []
    with pytest.raises(NotFound):
        store.remove("a")


def test_a_model_is_found_by_its_repository_too(store: ModelStore) -> None:
    store.pull("test/a")
    assert store.open("test/a") == store.open("a")


def test_the_settings_say_where_and_how_much(tmp_path: Path) -> None:
    settings = Settings(
        node=NodeSettings(data_dir=tmp_path),
        models=ModelsSettings(budget_gb=1.5, token="s3cret"),
    )
    store = model_store(settings)
    assert store.layout.root == tmp_path / "models"
    assert store.budget_bytes == 1_500_000_000
    assert "s3cret" not in repr(settings)


def test_a_manifest_holds_a_checksum_of_every_file(store: ModelStore) -> None:
    store.pull("a")
    record = json.loads(store.layout.manifest("a").read_text())
    assert {len(file["sha256"]) for file in record["files"]} == {64}


def test_an_operators_entry_needs_no_code(new_store: NewStore) -> None:
    store = new_store()
    assert store.catalogue.find("a").repo == "test/a"
    with pytest.raises(InvalidInput):
        store.catalogue.find("../a")
