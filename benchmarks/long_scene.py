"""A scene with 10,000 segments against one with 10: nothing a reader waits for may grow with it.

    python benchmarks/long_scene.py [--database sqlite|postgres] [--rounds 40] [--segments 10000]

The limit is 1.0: what a request shows is as small for a long scene as for a short one. The same
API process serves both; each round asks every question of both scenes, one after the other, in
random order. The pages
and the continuation are whole HTTP requests over one kept-alive connection; "look" is what
the live updates ask the database every second. Two things do grow and are shown without a goal: a
rung's playlist names every part of the film, so its first build reads every segment and its
transfer is as long as it is; after that a new segment costs what one segment costs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from api.page_views import CHAPTERS_PER_PAGE
from api.playlist_cache import PlaylistCache
from benchmarks.measuring import Spread, milliseconds, paired_ratio, print_line
from benchmarks.node import KINDS, Answer, Kind, Node, running_node
from benchmarks.scene_rows import TEXT, Filled, analyze, fill, finish
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.ids import uuid7_floor

GOAL = 1.2
SHORT = 10
WARM_UP = 4
COLD_BUILDS = 3
RUNG = "720p"
_JUDGED = (
    "continue",
    "continue, bibleVersion",
    "continue, afterJobId",
    "page",
    "page, equally full",
    "304 rung",
    "304 master",
    "304 JSON",
    "JSON page, first",
    "JSON page, last",
)
Samples = dict[str, list[float]]
Timer = Callable[[], float]


@dataclass(frozen=True)
class Reader:
    """Asks one scene; every question gives its milliseconds.

    full_page: the scene whose page is full; a page of ten chapters has fewer words to render.
    """

    node: Node
    scene: Filled
    full_page: Filled
    samples: Samples = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The scene's address."""
        return f"/v1/scenes/{self.scene.id}"

    def questions(self) -> dict[str, Timer]:
        """All that is asked in every round, by name."""
        rung, master = f"{self.base}/p1/{RUNG}.m3u8", f"{self.base}/master.m3u8"
        first = f"{self.base}/playlist?limit=10"
        last = f"{first}&after={self.scene.count - 10}"
        version = self.scene.count + 1
        return {
            "continue": self._continue({}),
            "continue, bibleVersion": self._continue({"bibleVersion": version}),
            "continue, afterJobId": self._continue({"afterJobId": str(self.scene.last_job_id)}),
            "page": self._get(f"/scenes/{self.scene.id}"),
            "page, equally full": self._get(f"/scenes/{self.full_page.id}"),
            "304 rung": self._unchanged(rung),
            "304 master": self._unchanged(master),
            "304 JSON": self._unchanged(first),
            "JSON page, first": self._get(first),
            "JSON page, last": self._get(last),
            "master": self._get(master),
            "scene": self._get(self.base),
            "card": self._get(f"/scenes/{self.scene.id}/card"),
            "jobs of the scene": self._get(f"/v1/jobs?sceneId={self.scene.id}&limit=10"),
            "look": self._look,
            "rung, cached": self._get(rung),
        }

    def _continue(self, wishes: Mapping[str, object]) -> Timer:
        body = json.dumps({"text": TEXT, "targetDuration": 4, **wishes}).encode()

        def ask() -> float:
            start = time.monotonic_ns()
            answer = self.node.api.expect(202, "POST", f"{self.base}/continue", body)
            took = milliseconds(start, time.monotonic_ns())
            self.node.api.expect(200, "POST", f"/v1/jobs/{_job_id(answer)}/cancel")
            return took

        return ask

    def _get(self, path: str) -> Timer:
        return lambda: _timed(lambda: self.node.api.expect(200, "GET", path))

    def _unchanged(self, path: str) -> Timer:
        def ask() -> float:
            # without a body: megabytes just sent would be felt by the answer that is measured
            tag = self.node.api.expect(200, "GET" if "limit=" in path else "HEAD", path).etag
            return _timed(lambda: self.node.api.expect(304, "GET", path, None, If_None_Match=tag))

        return ask

    def _look(self) -> float:
        """The live updates' look at the rows, without a job known."""
        since = uuid7_floor(clock.utc_now() - timedelta(seconds=60))
        start = time.monotonic_ns()
        with self.node.database.read() as c:
            job_rows.changed_jobs(c, [self.scene.id], {}, since)
        return milliseconds(start, time.monotonic_ns())


def main() -> None:
    """Fill the scenes, ask both in turns, print the card and one JSON line."""
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="long-bench-") as name,
        running_node(Path(name), arguments.database) as node,
    ):
        start = time.monotonic()
        long, short = fill(node.database, arguments.segments), fill(node.database, SHORT)
        spare = [fill(node.database, SHORT) for _ in range(arguments.appends)]
        analyze(node.database)
        print(f"{arguments.segments} segments filled in {time.monotonic() - start:.0f} s")
        full = fill(node.database, CHAPTERS_PER_PAGE)
        readers = {"long": Reader(node, long, long), "short": Reader(node, short, full)}
        _ask(readers, arguments.rounds)
        _append(node, readers, spare)
        _build_cold(readers)
    _report(arguments, {side: reader.samples for side, reader in readers.items()})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--appends", type=int, default=15, help="segments finalised by each side")
    return parser.parse_args()


def _ask(readers: Mapping[str, Reader], rounds: int) -> None:
    questions = {side: reader.questions() for side, reader in readers.items()}
    names = list(questions["long"])
    for number in range(WARM_UP + rounds):
        for name in random.sample(names, len(names)):
            for side in random.sample(list(readers), len(readers)):
                took = questions[side][name]()
                if number >= WARM_UP:
                    readers[side].samples.setdefault(name, []).append(took)


def _append(node: Node, readers: Mapping[str, Reader], spare: list[Filled]) -> None:
    """Finalise one more segment and fetch the grown playlist, the long scene against fresh ones."""
    for short in spare:
        for side, scene in (("long", readers["long"].scene), ("short", short)):
            base = f"/v1/scenes/{scene.id}"
            rung = f"{base}/p1/{RUNG}.m3u8"
            node.api.expect(200, "GET", rung)
            body = json.dumps({"text": TEXT, "targetDuration": 4}).encode()
            job_id = UUID(_job_id(node.api.expect(202, "POST", f"{base}/continue", body)))
            samples = readers[side].samples
            took = _timed(partial(finish, node.database, job_id))
            samples.setdefault("finalise", []).append(took)
            # HEAD: the playlist is grown and its length told, its bytes stay
            took = _timed(partial(node.api.expect, 200, "HEAD", rung))
            samples.setdefault("rung grows by one", []).append(took)


def _build_cold(readers: Mapping[str, Reader]) -> None:
    for reader in readers.values():
        database = reader.node.database
        with database.read() as c:
            scene = scene_rows.get_scene(c, reader.scene.id)
        for _ in range(COLD_BUILDS):
            cache = PlaylistCache(database)
            took = _timed(partial(cache.rung, scene, RUNG, None, gzipped=True))
            reader.samples.setdefault("rung, first build", []).append(took)
            assert cache.segments_read == scene.next_number - 1


def _timed(work: Callable[[], object]) -> float:
    start = time.monotonic_ns()
    work()
    return milliseconds(start, time.monotonic_ns())


def _job_id(answer: Answer) -> str:
    return str(json.loads(answer.body)["jobId"])


def _report(arguments: argparse.Namespace, samples: Mapping[str, Samples]) -> None:
    kind: Kind = arguments.database
    cores = len(os.sched_getaffinity(0))
    long, short = (
        {name: Spread.of(kept) for name, kept in samples[side].items()}
        for side in ("long", "short")
    )
    print(
        f"\n{arguments.segments} segments against {SHORT}, {kind}, {cores} cores, "
        f"medians of {arguments.rounds} rounds in turns, ms; ratio: median of the rounds\n"
    )
    print(f"{'':26}{arguments.segments:>9}{SHORT:>9}{'ratio':>8}   goal <= {GOAL:g}")
    first = [name for name in _JUDGED if name in long]
    names = [*first, *(name for name in sorted(long) if name not in first)]
    ratios = {name: paired_ratio(samples["long"][name], samples["short"][name]) for name in names}
    for name, ratio in ratios.items():
        met = ("met" if ratio <= GOAL else "NOT met") if name in _JUDGED else ""
        print(f"{name:26}{long[name].median:9.2f}{short[name].median:9.2f}{ratio:8.2f}   {met}")
    fields = {"database": kind, "segments": arguments.segments, "short": SHORT, "unit": "ms"}
    medians = {
        name: [round(long[name].median, 3), round(short[name].median, 3), round(ratio, 3)]
        for name, ratio in ratios.items()
    }
    worst = max(ratios[name] for name in _JUDGED)
    print(f"\nworst of the judged ratios {worst:.2f}x")
    fields |= {"rounds": arguments.rounds, "cores": cores, "goal": GOAL}
    print_line(
        "long_scene", {**fields, "worst_ratio": round(worst, 3), "long_short_ratio": medians}
    )


if __name__ == "__main__":
    main()
