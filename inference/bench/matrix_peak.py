"""Measures the best rate of plain matrix products that a device gives: the limit for everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from storyforge import clock

# Square sides: large enough that launch and memory are nothing (8192 in bf16: 1.1 TFLOP a product),
# several, since the best tiling differs from card to card.
_SIDES_ON_CARD = (4096, 8192, 16384)
_SIDES_ON_CPU = (512, 1024)
# Long enough that a card reaches the clock that it can hold under load.
_SECONDS_ON_CARD = 1.0
_SECONDS_ON_CPU = 0.1
_ROUNDS = 3


def measure_matrix_peak(device: str, precision: str) -> float:
    """TFLOP/s of the best square product of N(0, 1) numbers, sustained, best of three rounds.

    precision: `bf16`, `fp32`, or `tf32`: float32 whose products a card may round, as its
    convolutions do unless they are told otherwise.
    """
    on_cpu = device == "cpu"
    sides = _SIDES_ON_CPU if on_cpu else _SIDES_ON_CARD
    seconds = _SECONDS_ON_CPU if on_cpu else _SECONDS_ON_CARD
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    with _rounded_products(allowed=precision == "tf32"):
        return max(_rate(side, device, dtype, seconds) for side in sides)


@contextmanager
def _rounded_products(*, allowed: bool) -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _rate(side: int, device: str, dtype: torch.dtype, seconds: float) -> float:
    first, second = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    product = torch.empty_like(first)
    flops = 2 * side**3

    def took(count: int) -> float:
        _wait(device)
        start = clock.monotonic_s()
        for _ in range(count):
            torch.mm(first, second, out=product)
        _wait(device)
        return clock.monotonic_s() - start

    took(2)  # the library chooses its kernel
    count = max(1, round(seconds / max(took(1), 1e-6)))
    best_s = min(took(count) for _ in range(_ROUNDS))
    return flops * count / best_s / 1e12


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)
