"""When to start a child again: exponential backoff with jitter, forgotten after a stable run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """The clocks of restarting, in seconds.

    first_wait_s: before the first restart; every further failure in a row doubles it.
    longest_wait_s: where the doubling ends.
    stable_after_s: a child that ran this long has its earlier failures forgotten.
    jitter: share of the wait that is drawn at random, so that children that died together do
    not come back in one instant.
    """

    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    stable_after_s: float = 30.0
    jitter: float = 0.2


@dataclass(frozen=True)
class Restart:
    """What to do about a child that ended: how often it failed in a row, how long to wait."""

    failures: int
    wait_s: float


def decide_restart(
    policy: RestartPolicy, *, failures: int, uptime_s: float, chance: float
) -> Restart:
    """Choose the wait before the next start of a child that has just ended.

    failures: how many times in a row it had ended early before this time.
    uptime_s: how long it ran now. chance: a random number in [0, 1).
    """
    in_a_row = 1 if uptime_s >= policy.stable_after_s else failures + 1
    # 2**30 is far past every ceiling; the cap keeps the float finite after days of failing
    plain_s = min(policy.longest_wait_s, policy.first_wait_s * 2.0 ** min(in_a_row - 1, 30))
    return Restart(in_a_row, plain_s * (1.0 - policy.jitter + 2.0 * policy.jitter * chance))
