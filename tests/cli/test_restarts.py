"""The pure decision when to start a child again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storyforge.cli.supervisor.restarts import RestartPolicy, decide_restart

STEADY = RestartPolicy(first_wait_s=0.5, longest_wait_s=30.0, stable_after_s=30.0, jitter=0.0)


def waits(count: int) -> list[float]:
    failures, found = 0, []
    for _ in range(count):
        restart = decide_restart(STEADY, failures=failures, uptime_s=0.1, chance=0.5)
        failures = restart.failures
        found.append(restart.wait_s)
    return found


def test_a_child_that_keeps_dying_waits_twice_as_long_each_time_up_to_the_ceiling() -> None:
    assert waits(9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_stable_run_forgets_earlier_failures() -> None:
    restart = decide_restart(STEADY, failures=8, uptime_s=30.0, chance=0.5)
    assert (restart.failures, restart.wait_s) == (1, 0.5)


def test_days_of_failing_do_not_overflow() -> None:
    assert decide_restart(STEADY, failures=10**6, uptime_s=0, chance=0.5).wait_s == 30.0


@given(
    failures=st.integers(0, 100),
    uptime_s=st.floats(0, 1e6),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_jitter_stays_within_its_share(failures: int, uptime_s: float, chance: float) -> None:
    policy = RestartPolicy()
    plain = RestartPolicy(jitter=0.0)
    wait_s = decide_restart(policy, failures=failures, uptime_s=uptime_s, chance=chance).wait_s
    plain_s = decide_restart(plain, failures=failures, uptime_s=uptime_s, chance=chance).wait_s
    assert plain_s * 0.8 <= wait_s <= plain_s * 1.2 + 1e-9
    assert wait_s <= policy.longest_wait_s * 1.2
