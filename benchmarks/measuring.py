"""Repeated measurements: their summary, and the JSON line that ends every benchmark."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Spread:
    """What repeated runs of one thing took, in the unit of the samples.

    p10, p90: a tenth of the runs was faster, a tenth was slower.
    """

    median: float
    p10: float
    p90: float
    runs: int

    @staticmethod
    def of(samples: Sequence[float]) -> Spread:
        """Summarise at least two samples."""
        tenths = statistics.quantiles(samples, n=10, method="inclusive")
        return Spread(statistics.median(samples), tenths[0], tenths[-1], len(samples))

    def rounded(self, digits: int = 3) -> dict[str, float]:
        """For the JSON line."""
        return {name: round(value, digits) for name, value in asdict(self).items()}


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median over rounds of one by the other in the same round: a busy minute hits both."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def milliseconds(start_ns: int, end_ns: int) -> float:
    """From nanoseconds of the monotonic clock, which all processes of a host share."""
    return (end_ns - start_ns) / 1e6


def print_line(benchmark: str, fields: Mapping[str, Any]) -> None:
    """The last line of a benchmark: one JSON object with its name and the date."""
    head = {"benchmark": benchmark, "date": datetime.now(UTC).date().isoformat()}
    print(json.dumps({**head, **fields}))
