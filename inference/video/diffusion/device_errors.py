"""Turns what a device raises into our errors, and tells which of them end the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inference.video.memory_ladder import Phase
from storyforge.errors import DeviceLost, DeviceOutOfMemory

# After one of these the CUDA context is gone: every later call in the process fails too.
_STICKY = (
    "illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "uncorrectable ecc error",
    "misaligned address",
    "illegal instruction",
    "illegal address space",
    "invalid program counter",
    "hardware stack error",
    "launch timed out",
    "gpu has fallen off the bus",
    "mps client failed",
    "unknown error",
)
_OUT_OF_MEMORY = ("out of memory", "memory: you tried to allocate")


def is_sticky(exc: BaseException) -> bool:
    """Whether this error, or one that it came from, has ended the process's CUDA context.

    Looks at names and messages only, so that it needs no torch.
    """
    return any(_is_sticky_alone(one) for one in _chain(exc))


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether this error, or one that it came from, says that memory ran out."""
    return any(
        type(one).__name__ == "OutOfMemoryError"
        or (isinstance(one, RuntimeError) and any(m in str(one).lower() for m in _OUT_OF_MEMORY))
        for one in _chain(exc)
    )


@contextmanager
def device_errors(phase: Phase) -> Iterator[None]:
    """Raise DeviceOutOfMemory and DeviceLost for what torch raises in this phase.

    Everything else passes unchanged.
    """
    doing = phase.value
    try:
        yield
    except RuntimeError as exc:
        if is_sticky(exc):
            raise DeviceLost(f"The device failed while {doing}; its process must end.") from exc
        if is_out_of_memory(exc):
            said = f"The device ran out of memory while {doing}."
            raise DeviceOutOfMemory(said, doing=doing) from exc
        raise


def _is_sticky_alone(exc: BaseException) -> bool:
    if isinstance(exc, DeviceLost):
        return True
    text = str(exc).lower()
    return "cuda" in text and any(sign in text for sign in _STICKY)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = exc
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
