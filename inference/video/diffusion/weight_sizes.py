"""Counts what a model's parts weigh, from the headers of its files alone."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from inference.video.diffusion.folder import ModelFolder
from inference.video.memory_needs import WeightBytes

_BF16_BYTES, _FP32_BYTES = 2, 4
_HEADER_MAX_BYTES = 100_000_000  # the format's own limit
_BLOCK = re.compile(r"^((?:\w+\.)*\w*blocks\.\d+)\.")


def weight_bytes(folder: ModelFolder, *, in_bf16: bool) -> WeightBytes:
    """What the parts of a vetted folder take once they are loaded in that precision."""
    each = _BF16_BYTES if in_bf16 else _FP32_BYTES

    def part(name: str) -> int:
        return each * sum(count for _tensor, count in _tensors(folder.path / name))

    transformers = [one for one in ("transformer", "transformer_2") if folder.has(one)]
    return WeightBytes(
        transformers=tuple(part(one) for one in transformers) or (0,),
        largest_block=each
        * max((_largest_block(folder.path / one) for one in transformers), default=0),
        text=part("text_encoder"),
        vae=part("vae"),
        image=part("image_encoder"),
    )


def _largest_block(component: Path) -> int:
    """Numbers in the largest repeated block; the whole component where nothing repeats."""
    blocks: dict[str, int] = defaultdict(int)
    whole = 0
    for name, count in _tensors(component):
        whole += count
        found = _BLOCK.match(name)
        if found is not None:
            blocks[found.group(1)] += count
    return max(blocks.values(), default=whole)


def _tensors(component: Path) -> Iterator[tuple[str, int]]:
    """Name and number of values of every tensor in a component's files."""
    for file in sorted(component.glob("*.safetensors")):
        with file.open("rb") as opened:
            header_bytes = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(min(header_bytes, _HEADER_MAX_BYTES)))
        for name, entry in header.items():
            if name != "__metadata__":
                yield name, math.prod(entry["shape"])
