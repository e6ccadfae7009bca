"""Which engines a node runs, and what its writers are told about them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inference.language.agent.open_agent import served_name
from inference.language.engine.launch import CPU
from storyforge.cli.ports import free_port
from storyforge.errors import SetupProblem
from storyforge.settings import Settings

ENGINE_MODULE = "storyforge.cli.engine.keeper"


@dataclass(frozen=True)
class EnginePlan:
    """The engines of one node: their devices and ports, and the key that keeps others out."""

    name: str
    ports: Mapping[str, int]
    key: str = field(repr=False)

    @property
    def writer_variables(self) -> Mapping[str, str]:
        """What a worker needs to reach them; bounded strings, because their backend is ours."""
        urls = ",".join(f"http://127.0.0.1:{port}" for port in self.ports.values())
        return {
            "STORYFORGE_WRITER_URL": urls,
            "STORYFORGE_WRITER_MODEL": self.name,
            "STORYFORGE_WRITER_KEY": self.key,
            "STORYFORGE_WRITER_BOUNDED_STRINGS": "always",
        }

    def keeper_variables(self, device: str) -> Mapping[str, str]:
        """What a keeper needs besides the settings; the key is in no argument."""
        return {
            "STORYFORGE_WRITER_KEY": self.key,
            "STORYFORGE_WRITER_DEVICES": device,
            "PYTHONUNBUFFERED": "1",
        }


def plan_engines(settings: Settings, devices: Sequence[int]) -> EnginePlan | None:
    """One engine on each device that the settings name; None when the node runs none of its own.

    devices: the cards that are there. Raises SetupProblem for one that is not.
    """
    writer = settings.writer
    if not writer.model or writer.url:
        return None
    ports = {device: free_port() for device in _chosen(writer.devices, devices)}
    return EnginePlan(served_name(writer.model), ports, secrets.token_urlsafe(24))


def engine_home(settings: Settings, device: str) -> Path:
    """Where an engine keeps its compiled graphs and temporary files."""
    return settings.node.data_dir.resolve() / "engines" / device


def _chosen(wanted: str, devices: Sequence[int]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(one.strip() for one in wanted.split(",") if one.strip()))
    if not names:
        return (str(devices[0]),) if devices else (CPU,)
    there = {str(device) for device in devices} | {CPU}
    for name in names:
        if name not in there:
            cards = ", ".join(map(str, devices)) or "none"
            raise SetupProblem(
                f"STORYFORGE_WRITER_DEVICES names '{name}', which is not there; this machine has "
                f"these cards: {cards}. `cpu` works everywhere, slowly."
            )
    return names
