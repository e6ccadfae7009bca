"""Chooses the attention backend that really works on the device, by running each candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import torch
from diffusers.models import attention_dispatch
from torch.nn import functional

from storyforge.errors import SetupProblem

NATIVE = "native"
_CUDNN = "_native_cudnn"
_FA3 = "_flash_3_hub"  # diffusers' name; we fill it from a local folder, never from the hub
# Tokens, heads and width of the probe: large enough for every kernel's tiles, and over in no time.
_TOKENS, _HEADS = 256, 4
_TOLERANCE = 2e-2  # of bf16 outputs near 1

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AttentionChoice:
    """The backend in use, and why each better one is not."""

    backend: str
    refused: tuple[tuple[str, str], ...] = ()


def choose_attention(
    device: str,
    *,
    head_width: int = 128,
    kernel_dir: Path | None = None,
    lossy: str | None = None,
) -> AttentionChoice:
    """The first backend that computes the right thing here: FA3, cuDNN, then torch's own.

    kernel_dir: a local folder with the FlashAttention-3 kernel. lossy: a backend that a quality
    preset asks for; SetupProblem when it does not work. Nothing is fetched.
    """
    if lossy is not None:
        problem = _tried(lambda: _probe(device, head_width, lossy, exact=False))
        if problem:
            raise SetupProblem(f"The attention backend '{lossy}' does not work here: {problem}")
        return AttentionChoice(lossy)
    if device == "cpu":
        return AttentionChoice(NATIVE)
    refused = []
    for backend in (_FA3, _CUDNN, NATIVE):
        if backend == _FA3 and kernel_dir is None:
            refused.append((backend, "no local kernel folder is set"))
            continue
        if backend == _FA3:
            problem = _tried(lambda: _use_local_kernel(kernel_dir))
            if problem:
                refused.append((backend, problem))
                continue
        problem = _tried(lambda name=backend: _probe(device, head_width, name))  # type: ignore[misc]
        if not problem:
            return AttentionChoice(backend, tuple(refused))
        refused.append((backend, problem))
    raise SetupProblem(f"No attention backend works on {device}: {refused}")


def use_attention(transformer: Any, choice: AttentionChoice) -> None:
    """Set the backend on a transformer (diffusers sets it for the whole process too)."""
    transformer.set_attention_backend(choice.backend)
    _log.info("attention", backend=choice.backend, refused=choice.refused)


def _probe(device: str, head_width: int, backend: str, *, exact: bool = True) -> None:
    """Run the backend on random tensors and compare it with plain mathematics."""
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    generator = torch.Generator("cpu").manual_seed(0)
    shape = (1, _TOKENS, _HEADS, head_width)
    query, key, value = (
        torch.randn(shape, generator=generator).to(device, dtype) for _ in range(3)
    )
    name = attention_dispatch.AttentionBackendName(backend)
    attention_dispatch._check_attention_backend_requirements(name)  # noqa: SLF001 - decision 0012
    with torch.no_grad():
        given = attention_dispatch.dispatch_attention_fn(query, key, value, backend=name)
        first, second, third = (one.float().transpose(1, 2) for one in (query, key, value))
        wanted = functional.scaled_dot_product_attention(first, second, third).transpose(1, 2)
    apart = float((given.float() - wanted).abs().max())
    limit = _TOLERANCE if exact else 10 * _TOLERANCE
    if not apart <= limit:
        raise ValueError(f"wrong by {apart:.3g}")


def _use_local_kernel(folder: Path | None) -> None:
    """Give diffusers the FlashAttention-3 function of a local folder, so that it fetches none."""
    from kernels import get_local_kernel  # type: ignore[import-not-found]  # noqa: PLC0415 - optional

    kernel = get_local_kernel(folder, "flash_attn3")
    config = attention_dispatch._HUB_KERNELS_REGISTRY[  # noqa: SLF001 - decision 0012
        attention_dispatch.AttentionBackendName(_FA3)
    ]
    config.kernel_fn = kernel.flash_attn_func
    config.wrapped_forward_attr = config.wrapped_backward_attr = None


def _tried(work: Callable[[], None]) -> str:
    """Why it failed; empty when it did not."""
    try:
        work()
    except (RuntimeError, ValueError, ImportError, OSError, AttributeError, TypeError) as exc:
        return f"{type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}"[:200]
    return ""
