"""From POST /continue to the job's first stage, against a bare commit and Celery dispatch.

    python benchmarks/accept_latency.py [--database sqlite|postgres] [--rounds 60]

The physical limit is one durable commit (an fsync) and one wake of a sleeping process through the
broker; the bare side does these two and nothing else: one INSERT committed by the plain driver,
`send_task`, and a worker whose task is empty. Ours is the node's own processes: HTTP over a
kept-alive connection, the API's checks, the accepting transaction, the wake-up, the worker's claim
and the snapshot of what the stages work on. Both use the same Valkey, the same kind of database
and the same Celery set-up (JSON, early acknowledgement, prefork with one child, no prefetch), and
take turns in random order with an empty queue.

The clock starts before the request (bare: before the INSERT) and stops in the worker's child at
the first line of the stage (bare: of the task); all processes share the host's monotonic clock.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from benchmarks.accept_roles import BARE_QUEUE, BARE_TASK, bare_app
from benchmarks.measuring import Spread, milliseconds, paired_ratio, print_line
from benchmarks.node import KINDS, Kind, Node, running_node

GOAL = 3.0
ROLES = Path(__file__).with_name("accept_roles.py")
TEXT = (
    "The fox waits by the frozen river until the moon is up. Then she crosses, slowly, while the "
    "ice sings under her paws, and on the far bank an old owl calls her name."
)
_PAUSE_S = (0.03, 0.12)  # between rounds: everybody sleeps again, and no timer is met in step
_HANG_S = 120.0
Times = Mapping[str, float]


class Listener:
    """Where the workers' stamps arrive."""

    def __init__(self, path: Path, on_silence: Callable[[], None]) -> None:
        self._on_silence = on_silence
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(1.0)

    def wait(self, moment: str, identity: str = "") -> tuple[int, int | None]:
        """Nanoseconds of that moment, and of the wake-up heard on the way to it."""
        woken: int | None = None
        deadline_s = time.monotonic() + _HANG_S
        while True:
            try:
                stamp = json.loads(self._socket.recv(4096))
            except TimeoutError:
                self._on_silence()
                if time.monotonic() < deadline_s:
                    continue
                raise SystemExit(f"No worker reached '{moment}' within {_HANG_S:g} s.") from None
            if stamp["moment"] == "woken":
                woken = stamp["ns"]
            if (stamp["moment"], stamp["id"]) == (moment, identity):
                return stamp["ns"], woken


class Commit(Protocol):
    """Writes one row durably."""

    def __call__(self, identity: str, text: str) -> None:
        """Returns once it is committed."""
        ...


def main() -> None:
    """Run both sides in turns; print the card and one JSON line."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="accept-bench-") as name:
        folder = Path(name)
        with running_node(folder, arguments.database, jobs_writers="1") as node:
            listener = Listener(folder / "stamps", node.require_alive)
            for role in ("ours", "bare"):
                node.start(role, (str(ROLES), role, str(folder / "stamps"), node.broker_url))
            sides: dict[str, Callable[[], Times]] = {
                "ours": lambda: _ours(node, scene_id, listener),
                "bare": lambda: _bare(commit, send, listener),
            }
            scene = node.api.expect(201, "POST", "/v1/scenes", b'{"title": "Latency"}')
            scene_id = json.loads(scene.body)["id"]
            commit, send = _committer(node), _sender(node)
            runs: dict[str, list[Times]] = {name: [] for name in sides}
            for number in range(arguments.warm_up + arguments.rounds):
                for side in random.sample(list(sides), len(sides)):
                    time.sleep(random.uniform(*_PAUSE_S))  # noqa: S311  jitter
                    times = sides[side]()
                    if number >= arguments.warm_up:
                        runs[side].append(times)
    _report(arguments.database, runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--warm-up", type=int, default=8, help="rounds that are not counted")
    return parser.parse_args()


def _ours(node: Node, scene_id: str, listener: Listener) -> Times:
    body = json.dumps({"text": TEXT, "targetDuration": 4}).encode()
    start = time.monotonic_ns()
    answer = node.api.expect(202, "POST", f"/v1/scenes/{scene_id}/continue", body)
    answered = time.monotonic_ns()
    job_id = json.loads(answer.body)["jobId"]
    stage, woken = listener.wait("stage", job_id)
    assert woken is not None
    # the scene is free again, and the worker stops at its next write
    node.api.expect(200, "POST", f"/v1/jobs/{job_id}/cancel")
    listener.wait("idle")
    return {
        "answered": milliseconds(start, answered),
        "woken": milliseconds(start, woken),
        "start": milliseconds(start, stage),
    }


def _bare(commit: Commit, send: Callable[[str], None], listener: Listener) -> Times:
    identity = str(uuid4())
    start = time.monotonic_ns()
    commit(identity, TEXT)
    committed = time.monotonic_ns()
    send(identity)
    stage, _ = listener.wait("stage", identity)
    return {"committed": milliseconds(start, committed), "start": milliseconds(start, stage)}


def _sender(node: Node) -> Callable[[str], None]:
    app = bare_app(node.broker_url)
    return lambda identity: app.send_task(BARE_TASK, args=[identity], queue=BARE_QUEUE)


def _committer(node: Node) -> Commit:
    """One INSERT by the plain driver, on a database as durable as the node's own."""
    table = "CREATE TABLE bare_jobs (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
    url = make_url(node.bare_url)
    if url.get_backend_name() == "sqlite":
        assert url.database
        embedded = sqlite3.connect(url.database, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", table):
            embedded.execute(statement)

        def commit(identity: str, text: str) -> None:
            embedded.execute("BEGIN IMMEDIATE")
            embedded.execute("INSERT INTO bare_jobs VALUES (?, ?)", (identity, text))
            embedded.execute("COMMIT")

        return commit
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    server = psycopg.connect(plain, prepare_threshold=None)
    server.execute(table)
    server.commit()

    def commit_there(identity: str, text: str) -> None:
        server.execute("INSERT INTO bare_jobs VALUES (%s, %s)", (identity, text))
        server.commit()

    return commit_there


def _report(database: Kind, runs: Mapping[str, list[Times]]) -> None:
    spreads = {
        side: {name: Spread.of([times[name] for times in kept]) for name in kept[0]}
        for side, kept in runs.items()
    }
    cores = len(os.sched_getaffinity(0))
    rounds = len(runs["ours"])
    print(f"\nPOST to first stage, {database}, {cores} cores, {rounds} rounds in turns, ms\n")
    print(f"{'':28}{'median':>9}{'p10':>9}{'p90':>9}")
    said = {
        ("bare", "committed"): "bare: row committed",
        ("bare", "start"): "bare: task starts",
        ("ours", "answered"): "ours: 202 answered",
        ("ours", "woken"): "ours: worker woken",
        ("ours", "start"): "ours: stage starts",
    }
    for (side, name), label in said.items():
        spread = spreads[side][name]
        print(f"{label:28}{spread.median:9.2f}{spread.p10:9.2f}{spread.p90:9.2f}")
    ours, bare = ([times["start"] for times in runs[side]] for side in ("ours", "bare"))
    ratio = paired_ratio(ours, bare)
    medians = spreads["ours"]["start"].median / spreads["bare"]["start"].median
    tail = spreads["ours"]["start"].p90 / spreads["bare"]["start"].p90
    met = "met" if ratio <= GOAL else "NOT met"
    print(
        f"\nours by bare, median of the rounds {ratio:.2f}x (goal <= {GOAL:g}: {met}); "
        f"of the medians {medians:.2f}x, of the p90 {tail:.2f}x"
    )
    rounded = {
        side: {name: spread.rounded() for name, spread in named.items()}
        for side, named in spreads.items()
    }
    fields = {"database": database, "rounds": rounds, "cores": cores, "unit": "ms"}
    print_line("accept_latency", {**fields, "ratio": round(ratio, 3), "goal": GOAL, **rounded})


if __name__ == "__main__":
    main()
