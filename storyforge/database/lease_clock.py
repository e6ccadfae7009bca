"""The clock that judges leases: never a worker's wall clock.

PostgreSQL: the server's clock. SQLite has one host only, whose CLOCK_BOOTTIME counts on through
suspend and cannot be set back; the boot id says when it started again from zero.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, Float, Table, bindparam, cast, func, literal, or_

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_DATABASE_CLOCK = "database"


@dataclass(frozen=True)
class LeaseClock:
    """`label` names the clock; times of another label are over (the host was restarted)."""

    label: str

    def now(self) -> ColumnElement[float]:
        """Seconds now, as an SQL expression; read when the statement runs, not when it is built."""
        if self.label == _DATABASE_CLOCK:
            return cast(func.extract("epoch", func.clock_timestamp()), Float)
        return bindparam(None, callable_=_boottime_s, type_=Float)

    def after(self, seconds: float | ColumnElement[float]) -> ColumnElement[float]:
        """The moment `seconds` from now."""
        added = literal(seconds, Float) if isinstance(seconds, float | int) else seconds
        return self.now() + added

    def is_due(self, table: Table) -> ColumnElement[bool]:
        """True for rows whose `due_at` has come."""
        return or_(table.c.due_clock != self.label, table.c.due_at <= self.now())


def lease_clock_of(engine: Engine) -> LeaseClock:
    """The clock for this database."""
    if engine.dialect.name == "postgresql":
        return LeaseClock(_DATABASE_CLOCK)
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "one-boot"
    return LeaseClock(f"boot:{boot}")


def _boottime_s() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has it; others near it
    return time.clock_gettime(clock)
