"""Become a program that gets SIGTERM when the process that started it is gone.

Run as a script: `python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT...]`. The kernel sends the
signal when the starting *thread* ends, so the supervisor starts children on its main thread only.
It is a program of its own because a `preexec_fn` may deadlock in a process that has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ask the kernel for the signal, then turn into the program."""
    parent_pid, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
            sys.exit(f"tether: prctl failed with errno {ctypes.get_errno()}")
    if os.getppid() != parent_pid:  # it died before we could ask
        sys.exit("tether: the supervisor is gone already")
    os.execvp(program, sys.argv[2:])  # noqa: S606  the supervisor chose the program


if __name__ == "__main__":
    main()
