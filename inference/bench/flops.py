"""Counts the floating-point operations of a clip: real calls, replayed on tensors without data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from diffusers import ModelMixin
from diffusers.models.attention_dispatch import attention_backend
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from inference.video.diffusion.adapter import Adapter
from inference.video.diffusion.attention import NATIVE
from inference.video.memory_ladder import MemoryPlan

_META = "meta"
# Where nothing is fused, only attention multiplies batches of matrices; where it is, it has names.
_ATTENTION_OPERATIONS = ("bmm", "scaled_dot_product", "flash_attention", "cudnn_attention")

Call: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Flops:
    """Operations (a multiply-add is two), and those of attention's two products among them."""

    total: int = 0
    attention: int = 0

    def __add__(self, other: Flops) -> Flops:
        return Flops(self.total + other.total, self.attention + other.attention)

    def times(self, count: int) -> Flops:
        """Of so many equal calls."""
        return Flops(self.total * count, self.attention * count)

    @property
    def attention_share(self) -> float:
        """Of all operations."""
        return self.attention / self.total if self.total else 0.0


class CallRecorder:
    """Notes with which shapes a module is called; it keeps no data."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._counts: Counter[str] = Counter()

    @contextmanager
    def watching(self, module: torch.nn.Module) -> Iterator[None]:
        """Note the calls of a module while the context lasts."""
        handle = module.register_forward_pre_hook(self._note, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    @property
    def calls(self) -> Sequence[tuple[Call, int]]:
        """Each distinct call, and how often it came."""
        return [(call, self._counts[key]) for key, call in self._calls.items()]

    def _note(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        call = tree_map_only(torch.Tensor, _without_data, (args, kwargs))
        key = repr(tree_map_only(torch.Tensor, lambda one: (one.shape, one.dtype), call))
        self._calls.setdefault(key, call)
        self._counts[key] += 1


def count_calls(module: torch.nn.Module, calls: Sequence[tuple[Call, int]]) -> Flops:
    """The operations of all recorded calls of a diffusers or transformers module.

    A text encoder is replayed without its mask: it looks into that one, and the mask saves no work.
    """
    twin = twin_without_data(module)
    masked = not isinstance(module, ModelMixin)
    total = Flops()
    for (args, kwargs), times in calls:
        if masked:
            args, kwargs = args[:1], {}  # noqa: PLW2901 - the token ids alone
        with torch.no_grad(), attention_backend(NATIVE), FlopCounterMode(display=False) as counter:
            twin(*args, **kwargs)
        total += _counted(counter).times(times)
    return total


def count_decode(
    adapter: Adapter, pipeline: Any, latents_shape: Sequence[int], noise_state: torch.Tensor
) -> Flops:
    """The operations of decoding latents of that shape, on the adapter's own way."""
    vae = twin_without_data(pipeline.vae)
    stand_in = SimpleNamespace(
        vae=vae,
        transformer=vae,  # both are in float32 here, and only that is asked
        _denormalize_latents=getattr(pipeline, "_denormalize_latents", None),
        maybe_free_model_hooks=lambda: None,  # nothing is anywhere, so nothing is sent back
    )
    latents = torch.empty(tuple(latents_shape), device=_META)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for _chunk in adapter.decode(stand_in, latents, noise_state, MemoryPlan()):
            pass
    return _counted(counter)


def twin_without_data(module: Any) -> Any:
    """The same module in float32, built from its configuration, holding shapes only."""
    with torch.device(_META):
        if hasattr(module, "from_config"):
            twin = type(module).from_config(module.config)
        else:
            twin = type(module)(module.config)
    return twin.eval()


def _without_data(tensor: torch.Tensor) -> torch.Tensor:
    """Its shape alone; in float32, as the twin is, since precision changes no count."""
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return torch.empty(tensor.shape, dtype=dtype, device=_META)


def _counted(counter: FlopCounterMode) -> Flops:
    by_operation: Mapping[Any, int] = counter.get_flop_counts().get("Global", {})
    attention = sum(
        flops
        for operation, flops in by_operation.items()
        if any(name in str(operation) for name in _ATTENTION_OPERATIONS)
    )
    return Flops(counter.get_total_flops(), attention)
