"""A supervisor of fake children, run as a program by the supervisor's tests.

Arguments: the logs folder, then a JSON list of {name, code, stopOrder, graceS}; `code` is Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from storyforge.cli.supervisor.child import ChildSpec
from storyforge.cli.supervisor.restarts import RestartPolicy
from storyforge.cli.supervisor.stop_signals import StopSignals
from storyforge.cli.supervisor.supervise import Supervisor


def main() -> None:
    logs_dir, children = Path(sys.argv[1]), json.loads(sys.argv[2])
    policy = RestartPolicy(first_wait_s=0.2, longest_wait_s=60.0, stable_after_s=60.0, jitter=0.1)
    with (
        StopSignals() as signals,
        Supervisor(logs_dir, signals, report, policy=policy, warden_grace_s=1.0) as supervisor,
    ):
        for child in children:
            argv = (sys.executable, "-c", child["code"])
            spec = ChildSpec(
                child["name"], argv, {}, child.get("stopOrder", 0), child.get("graceS", 5.0)
            )
            started = supervisor.start(spec)
            report(f"started {spec.name} {started.pid}")
        supervisor.run()
    report("ended")


def report(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
