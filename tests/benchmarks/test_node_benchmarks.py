"""Each benchmark of the node runs, with parameters too small to measure anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _last_line(script: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_accept_latency_measures_both_sides() -> None:
    line = _last_line("accept_latency.py", "--rounds", "3", "--warm-up", "1")
    assert line["benchmark"] == "accept_latency"
    for side, first in (("ours", "answered"), ("bare", "committed")):
        assert line[side]["start"]["runs"] == 3
        assert 0 < line[side][first]["median"] < line[side]["start"]["median"]


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def test_long_scene_asks_every_question_of_both_scenes(
    database: str, request: pytest.FixtureRequest
) -> None:
    if database == "postgres":
        request.getfixturevalue("postgres_server")  # skips where there is none
    sizes = ("--segments", "30", "--rounds", "2", "--appends", "2")
    line = _last_line("long_scene.py", "--database", database, *sizes)
    assert line["benchmark"] == "long_scene"
    assert {"continue", "page", "304 rung", "JSON page, first", "finalise"} <= set(
        line["long_short_ratio"]
    )
    assert all(ratio > 0 for _, _, ratio in line["long_short_ratio"].values())
