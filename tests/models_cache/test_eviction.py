"""Which models give way: never a needed one, never more than it takes, never in vain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models_cache.eviction import Held, choose_evictions, used_bytes


def held(name: str, used: int, *, needed: bool = False, **blocks: int) -> Held:
    sizes = {int(inode[1:]): size for inode, size in blocks.items()}
    return Held(name, sizes, used, needed)


def test_the_least_recently_used_goes_first() -> None:
    models = [held("new", 9, i1=10), held("old", 1, i2=10), held("mid", 5, i3=10)]
    assert choose_evictions(models, 10, 30) == (("old",), 0)
    assert choose_evictions(models, 20, 30) == (("old", "mid"), 0)


def test_a_needed_model_stays_and_the_next_goes() -> None:
    models = [held("old", 1, needed=True, i1=10), held("new", 9, i2=10)]
    assert choose_evictions(models, 10, 20) == (("new",), 0)
    assert choose_evictions(models, 15, 20)[1] == 5


def test_a_shared_file_counts_once_and_is_freed_with_its_last_model() -> None:
    models = [held("a", 1, i1=100, i2=1), held("b", 2, i1=100, i3=50)]
    assert used_bytes(models) == 151
    assert choose_evictions(models, 50, 160) == (("b",), 0)


def test_nothing_goes_while_there_is_room() -> None:
    assert choose_evictions([held("a", 1, i1=10)], 10, 20) == ((), 0)


MODELS = st.lists(
    st.builds(
        Held,
        st.uuids().map(str),
        st.dictionaries(st.integers(0, 8), st.just(10), max_size=4),
        st.integers(0, 100),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda model: model.name,
)


@given(MODELS, st.integers(0, 80), st.integers(0, 120))
def test_the_promise_holds_for_any_store(models: list[Held], needs: int, room: int) -> None:
    names, missing = choose_evictions(models, needs, room)
    gone = set(names)
    assert not any(model.needed for model in models if model.name in gone)
    stay = [model for model in models if model.name not in gone]
    if missing == 0:
        assert used_bytes(stay) + needs <= room
        for name in names:  # none in vain
            back = [model for model in models if model.name not in gone - {name}]
            assert used_bytes(back) + needs > room
    else:
        needed = [model for model in models if model.needed]
        assert used_bytes(needed) + needs > room
