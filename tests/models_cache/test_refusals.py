"""What a malicious repository or a malicious name can try, and where it ends."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_cache.names import folder_of, inside, is_plain_path, model_name
from models_cache.store import ModelStore
from storyforge.errors import InvalidInput, ModelRefused, NotFound, SetupProblem, WeightsDamaged
from tests.models_cache.conftest import WRITER, NewStore, video_files, weights
from tests.models_cache.hub_server import HubServer, Repo

PICKLES = ["model.bin", "x.pt", "x.pth", "x.ckpt", "x.pkl", "X.PKL", "evil.py", "x.so", "x.npy"]
CODE = [
    {"auto_map": {"AutoModel": "evil.Model"}},
    {"text_config": [{"auto_map": ["a", "b"]}]},
    {"custom_pipeline": "someone/evil"},
    {"_attn_implementation_internal": "someone/kernel"},
    {"trust_remote_code": True},
]
ATTACKS = [
    "..",
    "../x",
    "a/../b",
    "a/../../b",
    "/etc/passwd",
    "a//b",
    "a/b/c",
    "a/",
    "/a",
    "a\0b",
    "a\\b",
    "",
    ".",
    ".hidden",
    "-flag",
    "a b",
    "a/.git",
    "~root",
    "а",  # noqa: RUF001 - a Cyrillic look-alike of `a`
    "ａ",  # noqa: RUF001 - a full-width `a`
    "a\u202eb",
    "a\n",
    "a--b",
    "x" * 97,
]


@pytest.mark.parametrize("file", PICKLES)
def test_a_pickle_or_program_beside_the_weights_refuses_the_model(
    store: ModelStore, hub: HubServer, file: str
) -> None:
    path = f"transformer/{file}"
    hub.repos["test/a"].files[path] = b"\x80\x04cposix\nsystem\n."
    with pytest.raises(ModelRefused, match=path):
        store.pull("a")
    assert set(hub.sent) <= {"model_index.json"}
    assert store.layout.stagings("a") == []


@pytest.mark.parametrize("asked", CODE)
def test_a_configuration_that_asks_for_code_refuses_the_model(
    store: ModelStore, hub: HubServer, asked: dict[str, object]
) -> None:
    hub.repos["test/a"].files["text_encoder/config.json"] = json.dumps(asked).encode()
    with pytest.raises(ModelRefused, match=r"text_encoder/config\.json"):
        store.pull("a")
    assert not any(path.endswith(".safetensors") for path in hub.sent)
    with pytest.raises(NotFound):
        store.open("a")


@pytest.mark.parametrize(
    "change",
    [
        {"_class_name": "EvilPipeline"},
        {"_class_name": ["pipeline", "WanPipeline"]},
        {"vae": ["my_module", "Vae"]},
        {"vae": ["diffusers_modules.local", "Vae"]},
        {"..": ["diffusers", "Vae"]},
        {"a/b": ["diffusers", "Vae"]},
        {"auto_map": {"x": "y"}},
    ],
)
def test_a_model_index_with_foreign_classes_refuses_the_model(
    store: ModelStore, hub: HubServer, change: dict[str, object]
) -> None:
    index = json.loads(video_files()["model_index.json"])
    hub.repos["test/a"].files["model_index.json"] = json.dumps({**index, **change}).encode()
    with pytest.raises(ModelRefused, match="model_index"):
        store.pull("a")


@pytest.mark.parametrize(
    "shard", ["../model.safetensors", "/etc/x.safetensors", "model.bin", "absent.safetensors"]
)
def test_a_shard_elsewhere_refuses_the_model(store: ModelStore, hub: HubServer, shard: str) -> None:
    path = "text_encoder/model.safetensors.index.json"
    hub.repos["test/a"].files[path] = json.dumps({"weight_map": {"w": shard}}).encode()
    with pytest.raises(ModelRefused, match="shard"):
        store.pull("a")


def test_a_pickle_named_safetensors_is_refused(store: ModelStore, hub: HubServer) -> None:
    path = "transformer/diffusion_pytorch_model.safetensors"
    hub.repos["test/a"].files[path] = b"\x80\x04" + b"cposix\nsystem\n" * 200
    with pytest.raises(ModelRefused, match="no safetensors"):
        store.pull("a")


@pytest.mark.parametrize(
    "path",
    ["transformer/../../x.json", "transformer/a b.json", "transformer/\u0430.json", "/etc/x.json"],
)
def test_a_listed_path_that_is_not_plain_refuses_or_is_never_written(
    store: ModelStore, hub: HubServer, path: str, tmp_path: Path
) -> None:
    hub.repos["test/a"].files[path] = b"{}"
    with contextlib.suppress(ModelRefused):
        store.pull("a")
    written = {p for p in tmp_path.rglob("*.json") if p.name in {"x.json", "a b.json"}}
    assert written == set()


def test_two_paths_that_differ_in_case_only_refuse_the_model(
    store: ModelStore, hub: HubServer
) -> None:
    hub.repos["test/a"].files["transformer/Config.json"] = b"{}"
    with pytest.raises(ModelRefused, match="case"):
        store.pull("a")


def test_a_writer_is_judged_by_the_same_rules(new_store: NewStore, hub: HubServer) -> None:
    store = new_store(names=())
    own = store.layout.own_catalogue / "own.toml"
    own.write_text(WRITER.format(name="w", repo="test/w", revision="main"))
    files = {"config.json": b"{}", "model.safetensors": weights(3), "tokenizer.json": b"{}"}
    hub.repos["test/w"] = Repo({**files, "modeling_evil.py": b"import os"})
    with pytest.raises(ModelRefused, match="modeling_evil"):
        store.pull("w")
    hub.repos["test/w"] = Repo({**files, "original/x.pth": b"never looked at"})
    store.pull("w")
    assert {p.name for p in store.open("w").iterdir()} == set(files)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_name_that_is_no_name_reaches_no_file(store: ModelStore, name: str) -> None:
    for act in (store.open, store.pull, store.verify, store.remove, store.pin):
        with pytest.raises(InvalidInput):
            act(name)


def test_a_name_in_other_letters_is_not_the_model(store: ModelStore, hub: HubServer) -> None:
    store.pull("a")
    for name in ("A", "Wan2.1-T2V-1.3B"):
        with pytest.raises((NotFound, InvalidInput)):
            store.open(name)


@given(st.text(max_size=120))
def test_no_text_becomes_a_folder_outside(text: str) -> None:
    try:
        folder = folder_of(text)
    except InvalidInput:
        return
    assert folder.isascii()
    assert "/" not in folder
    assert not folder.startswith(".")
    assert Path("root", folder).parent == Path("root")


@given(st.from_regex(r"[A-Za-z0-9][\w.-]{0,8}(/[A-Za-z0-9][\w.-]{0,8})?", fullmatch=True))
def test_two_names_never_share_a_folder(name: str) -> None:
    try:
        folder = folder_of(model_name(name))
    except InvalidInput:
        return
    assert folder.replace("--", "/") == name


@given(st.text(max_size=60))
def test_a_plain_path_stays_below_its_folder(path: str) -> None:
    if is_plain_path(path):
        joined = Path(os.path.normpath(Path("/root") / path))
        assert joined.is_relative_to("/root")
        assert joined != Path("/root")


def test_a_link_out_of_the_store_is_not_followed(store: ModelStore, tmp_path: Path) -> None:
    store.pull("a")
    config = store.open("a") / "transformer/config.json"
    outside = tmp_path / "outside.json"
    outside.write_bytes(config.read_bytes())
    config.unlink()
    config.symlink_to(outside)
    with pytest.raises(WeightsDamaged, match="leads out"):
        store.open("a")


def test_a_link_within_the_store_is_followed(store: ModelStore) -> None:
    store.pull("a")
    config = store.open("a") / "transformer/config.json"
    blob = store.layout.root / "blobs" / "one"
    blob.parent.mkdir()
    config.rename(blob)
    config.symlink_to(os.path.relpath(blob, config.parent))
    assert (store.open("a") / "transformer/config.json").read_bytes() == blob.read_bytes()


def test_a_model_folder_that_is_a_link_out_is_refused(store: ModelStore, tmp_path: Path) -> None:
    store.pull("a")
    folder = store.open("a")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WeightsDamaged, match="leads out"):
        store.open("a")


def test_a_loop_of_links_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(WeightsDamaged):
        inside(tmp_path, tmp_path / "a", "m")


def test_a_lock_that_is_a_link_is_not_followed(store: ModelStore, tmp_path: Path) -> None:
    store.layout.lock.parent.mkdir(parents=True)
    store.layout.lock.symlink_to(tmp_path / "victim")
    with pytest.raises(SetupProblem):
        store.pull("a")
    assert not (tmp_path / "victim").exists()
