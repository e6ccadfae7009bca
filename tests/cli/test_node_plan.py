"""Which processes a node has."""

from __future__ import annotations

from pathlib import Path

from storyforge.cli.node_plan import plan_children
from storyforge.settings import NodeSettings, Settings

URL = "redis://:secret@127.0.0.1:1/0"


def test_without_a_gpu_one_film_process_works_on_the_cpu() -> None:
    children = plan_children(Settings(), URL, ())
    assert [child.name for child in children] == ["api", "write", "film", "publish", "sweeper"]
    assert {child.env["CUDA_VISIBLE_DEVICES"] for child in children} == {""}


def test_each_gpu_has_a_film_process_that_sees_only_it() -> None:
    children = plan_children(Settings(), URL, (0, 3))
    films = {child.name: child for child in children if child.name.startswith("film")}
    assert list(films) == ["film-0", "film-3"]
    assert films["film-3"].env["CUDA_VISIBLE_DEVICES"] == "3"
    assert films["film-3"].env["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert films["film-3"].argv[-2:] == ("--device", "3")
    others = [child for child in children if child not in films.values()]
    assert {child.env["CUDA_VISIBLE_DEVICES"] for child in others} == {""}


def test_children_get_absolute_paths_and_the_brokers_address_by_environment_only() -> None:
    settings = Settings(node=NodeSettings(data_dir=Path("data"), port=8401))
    for child in plan_children(settings, URL, ()):
        assert child.env["STORYFORGE_NODE_DATA_DIR"] == str(Path("data").resolve())
        assert child.env["STORYFORGE_NODE_PORT"] == "8401"
        assert child.env["STORYFORGE_BROKER_URL"] == URL
        assert not any("secret" in word for word in child.argv)


def test_the_api_ends_first_and_the_sweeper_after_the_workers() -> None:
    orders = {child.name: child.stop_order for child in plan_children(Settings(), URL, ())}
    assert orders["api"] < orders["write"] == orders["film"] == orders["publish"]
    assert orders["film"] < orders["sweeper"]
