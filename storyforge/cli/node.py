"""One node in the foreground: lock, schema, broker, children, until a stop signal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.devices.nvml_reader import NvmlReader, load_nvml
from storyforge import clock
from storyforge.cli.broker import start_broker
from storyforge.cli.data_lock import NodeRecord, hold_data_dir
from storyforge.cli.database_commands import upgrade_database
from storyforge.cli.engine.plan import EnginePlan, plan_engines
from storyforge.cli.node_client import NodeClient
from storyforge.cli.node_plan import plan_children
from storyforge.cli.ports import choose_port
from storyforge.cli.supervisor.stop_signals import StopSignals
from storyforge.cli.supervisor.supervise import Supervisor
from storyforge.settings import Settings

_READY_TIMEOUT_S = 2.0
_LATE_S = 30.0  # a node is ready within a few seconds; after this long its owner is told


@dataclass
class _ReadyWatch:
    """Asks the node whether it is ready until it says so once."""

    client: NodeClient
    report: Callable[[str], None]
    logs_dir: Path
    started_s: float
    is_ready: bool = False
    said_late: bool = False

    def look(self) -> None:
        """One look; says at most two lines in its life."""
        if self.is_ready:
            return
        waited_s = clock.monotonic_s() - self.started_s
        if self.client.is_ready():
            self.is_ready = True
            self.report(f"StoryForge is ready at {self.client.url} (after {waited_s:.1f} s).")
        elif waited_s > _LATE_S and not self.said_late:
            self.said_late = True
            self.report(
                f"Not ready after {waited_s:.0f} s. GET {self.client.url}/health/ready names what "
                f"is missing; the logs are in {self.logs_dir}."
            )


def run_node(settings: Settings, report: Callable[[str], None]) -> None:
    """Run the node until SIGTERM, SIGINT or SIGHUP, then end it in order.

    Raises SetupProblem when it cannot start as configured.
    """
    data_dir = settings.node.data_dir.resolve()
    logs_dir = data_dir / "logs"
    started_s = clock.monotonic_s()
    with StopSignals() as signals, hold_data_dir(data_dir) as held:
        port = choose_port(settings.node.host, settings.node.port)
        url = f"http://{settings.node.host}:{port}"
        settings = _on_port(settings, port)
        held.publish(NodeRecord(os.getpid(), url))
        report(f"Starting StoryForge in {data_dir}.")
        upgrade_database(settings)
        require_store(settings)
        with Supervisor(logs_dir, signals, report, kept_fds=(held.lock_fd,)) as supervisor:
            broker_url = settings.broker.url
            if not broker_url:
                broker_url = start_broker(data_dir, supervisor.start, supervisor.forget).url
            devices = _film_devices(report)
            engines = _own_engines(settings, devices, report)
            children = plan_children(settings, broker_url, devices, engines)
            for child in children:
                supervisor.start(child)
            watch = _ReadyWatch(NodeClient(url, _READY_TIMEOUT_S), report, logs_dir, started_s)
            supervisor.run(watch.look)
            report("Ending: no new work, then the workers, then the broker.")
    report("StoryForge has ended.")


def _own_engines(
    settings: Settings, devices: Sequence[int], report: Callable[[str], None]
) -> EnginePlan | None:
    """Which language model servers to run; what is missing for them is said before any starts."""
    engines = plan_engines(settings, devices)
    if engines is None:
        return None
    from storyforge.cli.engine.launching import launch_engine

    for device, port in engines.ports.items():
        launch_engine(settings, device, port)
    where = ", ".join(engines.ports)
    report(f"The writer {engines.name} starts on {where}; jobs wait for it.")
    return engines


def require_store(settings: Settings) -> None:
    """Probe an S3 server before anything is accepted: make its buckets, say what it lacks.

    Local files need no probe. Raises SetupProblem naming each failed check and its cure.
    """
    if not settings.store.endpoint_url:
        return
    from storyforge.storage import open_store

    store = open_store(settings)
    try:
        store.probe().require()
    finally:
        store.close()


def _on_port(settings: Settings, port: int) -> Settings:
    node = settings.node.model_copy(update={"port": port})
    return settings.model_copy(update={"node": node})


def _film_devices(report: Callable[[str], None]) -> Sequence[int]:
    inventory = NvmlReader(load_nvml()).inventory()
    if inventory.problem:
        instead = "filming without it" if inventory.devices else "filming on the CPU"
        report(f"The NVIDIA driver does not answer ({inventory.problem}); {instead}.")
    return [device.index for device in inventory.devices]
