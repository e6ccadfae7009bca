"""Kill every process group of a supervisor that died without ending them.

Run as a script: `python -I -S warden.py GRACE_S`, with a pipe from the supervisor on stdin:
`+PID` and `-PID` lines say which groups are alive. The end of the pipe is the supervisor's
death, SIGKILL included. The children have had SIGTERM then (see tether.py); what is left of a
group after the grace, grandchildren too, gets SIGKILL. The warden inherits the data directory's
lock, so that no other node starts there before it is done.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_POLL_S = 0.05


def main() -> None:
    """Follow the pipe to its end, then clean up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # only the end of the pipe ends the warden
    grace_s = float(sys.argv[1])
    groups: set[int] = set()
    for line in sys.stdin:
        sign, number = line[0], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(number)
    end_groups(groups, grace_s)


def end_groups(groups: set[int], grace_s: float) -> None:
    """Wait for the groups to end by themselves, then kill what is left."""
    deadline_s = time.monotonic() + grace_s
    while any(_exists(group) for group in groups) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main()
