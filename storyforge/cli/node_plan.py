"""Which processes a node consists of, decided from its settings and devices."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from storyforge.cli.engine.plan import ENGINE_MODULE, EnginePlan
from storyforge.cli.supervisor.child import ChildSpec
from storyforge.domain.job import Lane
from storyforge.settings import Settings

# Ended in this order: no new work, then the work, then who watches it; the broker comes last.
_STOP_API, _STOP_WORKERS, _STOP_ENGINES, _STOP_SWEEPER = 0, 10, 15, 20
_API_GRACE_S = 8.0
_WORKER_GRACE_S = 20.0  # a worker hands its leases back within one step of its stage
_ENGINE_GRACE_S = 15.0  # its keeper gives vLLM ten
_SWEEPER_GRACE_S = 5.0


def plan_children(
    settings: Settings,
    broker_url: str,
    devices: Sequence[int],
    engines: EnginePlan | None = None,
) -> tuple[ChildSpec, ...]:
    """The children beside the broker, in starting order.

    devices: indexes of the GPUs (PCI bus order) that may film; one film process each. With none,
    one film process runs on the CPU. engines: the node's own language model servers.
    """
    shared = {
        "STORYFORGE_NODE_DATA_DIR": str(settings.node.data_dir.resolve()),
        "STORYFORGE_NODE_HOST": settings.node.host,
        "STORYFORGE_NODE_PORT": str(settings.node.port),
        "STORYFORGE_BROKER_URL": broker_url,
        "PYTHONUNBUFFERED": "1",  # a log that ends where the process ended
        # OpenCV's own bound, read when it is loaded, for whatever gets past ours
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(settings.limits.picture_pixels),
    }
    no_gpu = {**shared, "CUDA_VISIBLE_DEVICES": ""}
    writer = {**no_gpu, **(engines.writer_variables if engines else {})}
    return (
        ChildSpec("api", _python("api.main"), no_gpu, _STOP_API, _API_GRACE_S),
        *_engine_keepers(no_gpu, engines),
        _worker(Lane.WRITE, writer),
        *_film_workers(shared, no_gpu, devices),
        _worker(Lane.PUBLISH, no_gpu),
        ChildSpec("sweeper", _python("scheduler.sweeper"), no_gpu, _STOP_SWEEPER, _SWEEPER_GRACE_S),
    )


def _engine_keepers(no_gpu: Mapping[str, str], engines: EnginePlan | None) -> tuple[ChildSpec, ...]:
    if engines is None:
        return ()
    return tuple(
        ChildSpec(
            f"engine-{device}",
            _python(ENGINE_MODULE, "--port", str(port)),
            {**no_gpu, **engines.keeper_variables(device)},
            _STOP_ENGINES,
            _ENGINE_GRACE_S,
        )
        for device, port in engines.ports.items()
    )


def _film_workers(
    shared: dict[str, str], no_gpu: dict[str, str], devices: Sequence[int]
) -> tuple[ChildSpec, ...]:
    if not devices:
        return (_worker(Lane.FILM, no_gpu),)
    return tuple(
        ChildSpec(
            f"film-{device}",
            _python("scheduler.worker", "--lane", Lane.FILM.value, "--device", str(device)),
            # pinned before torch can load; PCI order makes the index the one that NVML uses
            {**shared, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(device)},
            _STOP_WORKERS,
            _WORKER_GRACE_S,
        )
        for device in devices
    )


def _worker(lane: Lane, env: dict[str, str]) -> ChildSpec:
    argv = _python("scheduler.worker", "--lane", lane.value)
    return ChildSpec(lane.value, argv, env, _STOP_WORKERS, _WORKER_GRACE_S)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
