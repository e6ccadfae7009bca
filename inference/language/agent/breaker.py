"""When to leave a failing server alone: a circuit breaker as a pure state."""

from __future__ import annotations

from dataclasses import dataclass

_FAILURES_TO_OPEN = 3
_FIRST_REST_S, _LONGEST_REST_S = 5.0, 60.0


@dataclass(frozen=True)
class Breaker:
    """Closed while requests go through; after three failures in a row it rests, longer each time.

    After the rest one request tries; its failure begins the next rest. All times are monotonic.
    """

    failures: int = 0
    rests_until_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """How long to leave the server alone; 0 to go ahead."""
        return max(0.0, self.rests_until_s - now_s)

    def after_failure(self, now_s: float) -> Breaker:
        """The state after one more failure."""
        failures = self.failures + 1
        if failures < _FAILURES_TO_OPEN:
            return Breaker(failures)
        beyond = min(failures - _FAILURES_TO_OPEN, 16)  # the doubling has long ended there
        return Breaker(failures, now_s + min(_LONGEST_REST_S, _FIRST_REST_S * 2**beyond))

    def after_success(self) -> Breaker:
        """The state after an answer."""
        return Breaker()
