"""Metrics in Prometheus' text form: jobs, workers, and the writer's own figures; closed by default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from api.services import Use
from storyforge.database.job_counts import count_by_state
from storyforge.database.workers import ENGINE_ROLE, WorkerRecord, live_workers
from storyforge.errors import NotFound

router = APIRouter(tags=["metrics"])
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_ENGINE_STATES = ("starting", "awake", "busy", "asleep", "hung")


@router.get("/metrics")
def metrics(services: Use) -> Response:
    """What the rows tell, when STORYFORGE_NODE_METRICS opens it; 404 otherwise."""
    if not services.settings.node.metrics:
        raise NotFound("There is nothing here; STORYFORGE_NODE_METRICS=true opens the metrics.")
    with services.database.read() as c:
        jobs = count_by_state(c)
        workers = live_workers(c, services.database.clock)
    return PlainTextResponse("".join(_lines(jobs, workers)), media_type=_TEXT)


def _lines(jobs: Mapping[tuple[str, str], int], workers: Sequence[WorkerRecord]) -> Iterator[str]:
    yield "# HELP storyforge_jobs Jobs by lane and state.\n# TYPE storyforge_jobs gauge\n"
    for (lane, state), count in sorted(jobs.items()):
        yield _sample("storyforge_jobs", {"lane": lane, "state": state}, count)
    yield "# HELP storyforge_workers Live processes by role.\n# TYPE storyforge_workers gauge\n"
    for role, count in sorted(Counter(one.role for one in workers).items()):
        yield _sample("storyforge_workers", {"role": role}, count)
    yield "# HELP storyforge_engine_state 1 for the state a writer's engine is in.\n"
    yield "# TYPE storyforge_engine_state gauge\n"
    engines = [one for one in workers if one.role == ENGINE_ROLE]
    for engine in engines:
        for state in _ENGINE_STATES:
            labels = {**_labels(engine), "state": state}
            yield _sample(
                "storyforge_engine_state", labels, float(engine.info.get("state") == state)
            )
    for engine in engines:
        for name, value in sorted(engine.info.get("figures", {}).items()):
            yield _sample(str(name), _labels(engine), float(value))


def _labels(engine: WorkerRecord) -> Mapping[str, str]:
    return {
        "device": str(engine.info.get("device", "")),
        "model": str(engine.info.get("model", "")),
    }


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
