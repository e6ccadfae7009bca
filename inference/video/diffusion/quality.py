"""Named quality presets: `exact` by default; every lossy speed-up has a name and is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from storyforge.errors import SetupProblem


@dataclass(frozen=True)
class Quality:
    """Switches that change pixels; None is off.

    first_block_cache: relative change of the first block's output below which a step reuses the
    rest (diffusers FirstBlockCacheConfig). fp8_weights: transformer weights kept in 8 bits.
    attention: an attention backend that is not exact.
    """

    name: str
    first_block_cache: float | None = None
    fp8_weights: bool = False
    attention: str | None = None

    @property
    def lossy_switches(self) -> tuple[str, ...]:
        """What is written into a clip's recipe; empty for exact rendering."""
        switches = []
        if self.first_block_cache is not None:
            switches.append(f"first_block_cache={self.first_block_cache}")
        if self.fp8_weights:
            switches.append("fp8_weights")
        if self.attention is not None:
            switches.append(f"attention={self.attention}")
        return tuple(switches)


EXACT = "exact"
_PRESETS: Mapping[str, Quality] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Quality(EXACT),
            Quality("cached", first_block_cache=0.05),
            Quality("small", fp8_weights=True),
            Quality("sage", attention="sage"),
        )
    }
)
PRESET_NAMES = tuple(_PRESETS)


def quality_named(name: str) -> Quality:
    """The preset of that name. Raises SetupProblem naming the known ones."""
    preset = _PRESETS.get(name)
    if preset is None:
        raise SetupProblem(f"No quality is named '{name}'; known are {', '.join(PRESET_NAMES)}.")
    return preset
