"""Holds a process's model on its device as the memory plan wants it, and frees what failed."""

from __future__ import annotations

import gc
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from inference.video.diffusion.clip_plan import ClipPlan
from inference.video.diffusion.families import Engine, Family
from inference.video.diffusion.folder import ModelFolder
from inference.video.diffusion.loader import LoadedModel, load_model
from inference.video.diffusion.memory_keeper import (
    MemoryKeeper,
    Shortage,
    shortage_of,
    usable_savings,
)
from inference.video.diffusion.options import ModelOptions
from inference.video.diffusion.turns import Turns
from inference.video.diffusion.weight_sizes import weight_bytes
from inference.video.memory_ladder import MemoryPlan
from storyforge.errors import DeviceOutOfMemory


class ResidentModel:
    """Loads at the first use, and anew when the plan moves the weights.

    Lock rule: `_loading` guards `_loaded`; whoever works with the model holds a turn, and only a
    holder that is alone, or nobody, may replace it.
    """

    def __init__(self, folder: ModelFolder, family: Family, options: ModelOptions) -> None:
        self._folder = folder
        self._family = family
        self._options = options
        self._turns = Turns()
        self._loading = threading.Lock()
        self._loaded: LoadedModel | None = None
        noisy = any(folder.config("vae").get("decoder_inject_noise", ()))
        usable = usable_savings(
            streams_anyway=family.engine is Engine.WAN or noisy,
            tiles=not noisy,
            may_shrink=options.shrink,
        )
        self.keeper = MemoryKeeper(
            lambda: weight_bytes(folder, in_bf16=options.in_bf16), options.first_plan, usable
        )

    def loaded(self) -> LoadedModel:
        """The model as it is, loaded by the plan in force at the first use."""
        return self._by_plan(self.keeper.plan, may_replace=False)

    @contextmanager
    def held(
        self, plan: MemoryPlan, meanwhile: Callable[[], None] = lambda: None
    ) -> Iterator[LoadedModel]:
        """Work with the model as a plan wants it. meanwhile: called while it waits for its turn.

        Raises what `load_model` raises, and NoDeviceFree when the others' turn does not end.
        """
        loaded = self._loaded
        moves = loaded is not None and loaded.plan.placement != plan.placement
        with self._turns.hold(alone=moves or plan.takes_turns, meanwhile=meanwhile):
            yield self._by_plan(plan, may_replace=moves)

    def admit(self, clip: ClipPlan) -> None:
        """Before the first load on a card: start at the plan whose weights and work fit."""
        if self._options.on_cpu or self._loaded is not None or not torch.cuda.is_available():
            return  # without a card the load says so
        known = self._options.known_peak(clip.width, clip.height, clip.frames)
        free_bytes, _total = torch.cuda.mem_get_info()
        self.keeper.admit(known, free_bytes)

    def step_down(self, failure: DeviceOutOfMemory, plan: MemoryPlan, clip: ClipPlan) -> MemoryPlan:
        """Free what the failed work held and give the next plan. Raises GpuTooSmall at the end."""
        shortage = self._measured(shortage_of(failure, plan), clip)
        _let_go(failure)
        self._empty_cache()
        return self.keeper.step_down(shortage)

    def drop(self) -> None:
        """Give the weights up."""
        with self._loading:
            self._loaded = None
        self._empty_cache()

    def _by_plan(self, plan: MemoryPlan, *, may_replace: bool) -> LoadedModel:
        with self._loading:
            loaded = self._loaded
            if loaded is not None and may_replace and loaded.plan.placement != plan.placement:
                loaded = self._loaded = None
                self._empty_cache()
            if loaded is None:
                loaded = load_model(self._folder, self._family, self._options, plan)
                self._loaded = loaded
            return loaded

    def _measured(self, shortage: Shortage, clip: ClipPlan) -> Shortage:
        """With the card's figures: the most that was held, and what could have been."""
        if self._loaded is None:
            return shortage  # the weights alone did not fit
        shortage = replace(shortage, size=(clip.width, clip.height))
        if self._options.on_cpu:
            return shortage
        free_bytes, _total = torch.cuda.mem_get_info()
        return replace(
            shortage,
            held_bytes=torch.cuda.max_memory_allocated(),
            room_bytes=free_bytes + torch.cuda.memory_reserved(),
        )

    def _empty_cache(self) -> None:
        gc.collect()
        if not self._options.on_cpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def _let_go(exc: BaseException) -> None:
    """Clear the frames that an error holds on to, and with them the tensors of the failed work."""
    one: BaseException | None = exc
    while one is not None:
        traceback.clear_frames(one.__traceback__)
        one.__traceback__, one = None, one.__cause__ or one.__context__
