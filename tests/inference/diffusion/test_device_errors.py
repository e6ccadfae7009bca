"""What a device raises becomes our errors; the ones that end the process are told apart."""

from __future__ import annotations

import pytest

from inference.video.diffusion.device_errors import device_errors, is_out_of_memory, is_sticky
from inference.video.memory_ladder import Phase
from storyforge.errors import DeviceLost, DeviceOutOfMemory, RenderFailed

STICKY = [
    "CUDA error: an illegal memory access was encountered",
    "CUDA error: device-side assert triggered",
    "CUDA error: unspecified launch failure",
    "CUDA error: uncorrectable ECC error encountered",
]


@pytest.mark.parametrize("message", STICKY)
def test_an_error_that_ends_the_context_is_sticky(message: str) -> None:
    assert is_sticky(RuntimeError(message))


@pytest.mark.parametrize(
    "message",
    ["CUDA out of memory. Tried to allocate 2 GiB", "CUDA error: out of memory", "illegal value"],
)
def test_other_errors_are_not_sticky(message: str) -> None:
    assert not is_sticky(RuntimeError(message))


def test_a_sticky_cause_makes_an_error_sticky() -> None:
    wrapped = RenderFailed("no frames")
    wrapped.__cause__ = RuntimeError(STICKY[0])
    assert is_sticky(wrapped)


def test_a_sticky_error_becomes_device_lost() -> None:
    with pytest.raises(DeviceLost) as raised, device_errors(Phase.DECODE):
        raise RuntimeError(STICKY[1])
    assert is_sticky(raised.value)


def test_a_real_allocation_that_cannot_be_becomes_out_of_memory(engines: None) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    with pytest.raises(DeviceOutOfMemory, match="rendering"), device_errors(Phase.DENOISE):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_torch_s_own_out_of_memory_error_is_known(engines: None) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    assert is_out_of_memory(torch.OutOfMemoryError("2 GiB"))


def test_anything_else_passes_unchanged() -> None:
    with pytest.raises(RuntimeError, match="shape"), device_errors(Phase.DENOISE):
        raise RuntimeError("a shape is wrong")
