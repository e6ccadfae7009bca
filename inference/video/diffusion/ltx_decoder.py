"""The LTX decoder as a stream: the same layers over few frames at a time, with exact borders.

The decoder looks ahead and back by one frame in every convolution. Each layer here is a generator
over chunks [1, C, t, h, w] in order: a convolution holds back what it still needs, repeats the
clip's first and last frame where the layer does, and gives each output frame once. The layers'
own weights and operations are used; their forward methods are not (decision 0012).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor

Chunks: TypeAlias = Iterator[Tensor]

# Latent frames per chunk behind the middle block, before which everything is small.
_LATENT_FRAMES = 1


def decode_chunks(
    decoder: Any, latents: Tensor, timestep: Tensor | None, noise: torch.Generator
) -> Chunks:
    """Frames [1, 3, t, H, W] of `latents` [1, C, T, h, w]; equals the decoder's own forward.

    timestep: [1] for a decoder that takes one. noise: where decoders that inject noise draw from.
    """
    embedded = timestep
    if decoder.timestep_scale_multiplier is not None:
        assert timestep is not None
        embedded = timestep * decoder.timestep_scale_multiplier
    chunks = _convolved(decoder.conv_in, iter((latents,)))
    middle = decoder.mid_block
    at_middle = _embedded(middle.time_embedder, embedded, latents)
    for resnet in middle.resnets:
        chunks = _resnet(resnet, chunks, at_middle, noise)
    chunks = _split(chunks, _LATENT_FRAMES)
    for block in decoder.up_blocks:
        chunks = _up_block(block, chunks, embedded, noise, latents)
    chunks = _mapped(_out_norm(decoder, embedded, latents), chunks)
    chunks = _convolved(decoder.conv_out, chunks)
    return _mapped(lambda chunk: _unpatched(decoder, chunk), chunks)


def _up_block(
    block: Any, chunks: Chunks, embedded: Tensor | None, noise: torch.Generator, like: Tensor
) -> Chunks:
    if block.conv_in is not None:
        chunks = _resnet(block.conv_in, chunks, embedded, noise)
    inside = _embedded(block.time_embedder, embedded, like)
    for upsampler in block.upsamplers or ():
        chunks = _upsampled(upsampler, chunks)
    for resnet in block.resnets:
        chunks = _resnet(resnet, chunks, inside, noise)
    return chunks


def _resnet(block: Any, chunks: Chunks, embedded: Tensor | None, noise: torch.Generator) -> Chunks:
    """A residual block; what went in waits until what comes out has caught up."""
    shift_1 = scale_1 = shift_2 = scale_2 = None
    if block.scale_shift_table is not None:
        assert embedded is not None
        table = (
            embedded.unflatten(1, (4, -1)) + block.scale_shift_table[None, ..., None, None, None]
        )
        shift_1, scale_1, shift_2, scale_2 = table.unbind(dim=1)
    waiting = _Waiting()
    hidden = _mapped(
        lambda chunk: block.nonlinearity(_normed(block.norm1, chunk, scale_1, shift_1)),
        waiting.noted(chunks),
    )
    hidden = _noisy(block.per_channel_scale1, _convolved(block.conv1, hidden), noise)
    hidden = _mapped(
        lambda chunk: block.nonlinearity(_normed(block.norm2, chunk, scale_2, shift_2)), hidden
    )
    hidden = _noisy(block.per_channel_scale2, _convolved(block.conv2, hidden), noise)
    for chunk in hidden:
        inputs = waiting.take(chunk.shape[2])
        if block.norm3 is not None:
            inputs = _normed(block.norm3, inputs, None, None)
        if block.conv_shortcut is not None:
            inputs = block.conv_shortcut.conv(inputs)  # 1x1x1: needs no neighbours
        yield chunk + inputs


def _upsampled(layer: Any, chunks: Chunks) -> Chunks:
    """Upsample in time and space; the first stride - 1 frames of the clip are dropped."""
    waiting = _Waiting()
    dropped = layer.stride[0] - 1
    for chunk in _convolved(layer.conv, waiting.noted(chunks)):
        inputs = waiting.take(chunk.shape[2])
        out = _spread(chunk, layer.stride)
        if layer.residual:
            repeats = layer.stride[0] * layer.stride[1] * layer.stride[2] // layer.upscale_factor
            out = out + _spread(inputs, layer.stride).repeat(1, repeats, 1, 1, 1)
        yield out[:, :, dropped:]
        dropped = 0


def _convolved(layer: Any, chunks: Chunks) -> Chunks:
    """A convolution in time over the stream, the clip's ends repeated as the layer repeats them."""
    reach = layer.kernel_size[0] - 1
    before = reach if layer.is_causal else reach // 2
    after = 0 if layer.is_causal else reach // 2
    held: Tensor | None = None
    for chunk in chunks:
        if held is None:
            held = torch.cat([chunk[:, :, :1].repeat(1, 1, before, 1, 1), chunk], dim=2)
        else:
            held = torch.cat([held, chunk], dim=2)
        if held.shape[2] > reach:
            yield layer.conv(held)
            held = held[:, :, held.shape[2] - reach :]
    if held is not None and after:
        held = torch.cat([held, held[:, :, -1:].repeat(1, 1, after, 1, 1)], dim=2)
        yield layer.conv(held)


def _noisy(scale: Tensor | None, chunks: Chunks, noise: torch.Generator) -> Chunks:
    """One still pattern of noise over all frames, where the decoder was trained with it."""
    pattern: Tensor | None = None
    for chunk in chunks:
        if scale is None:
            yield chunk
            continue
        if pattern is None:
            drawn = torch.randn(chunk.shape[-2:], generator=noise, dtype=torch.float32)
            pattern = drawn.to(chunk)[None]
        yield chunk + (pattern * scale)[None, :, None, ...]


def _normed(norm: Any, chunk: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    normed: Tensor = norm(chunk.movedim(1, -1)).movedim(-1, 1)
    return normed if scale is None or shift is None else normed * (1 + scale) + shift


def _embedded(embedder: Any, timestep: Tensor | None, like: Tensor) -> Tensor | None:
    if embedder is None or timestep is None:
        return timestep
    made: Tensor = embedder(
        timestep=timestep.flatten(),
        resolution=None,
        aspect_ratio=None,
        batch_size=like.size(0),
        hidden_dtype=like.dtype,
    )
    return made.view(like.size(0), -1, 1, 1, 1)


def _out_norm(decoder: Any, timestep: Tensor | None, like: Tensor) -> Callable[[Tensor], Tensor]:
    shift = scale = None
    embedded = _embedded(decoder.time_embedder, timestep, like)
    if decoder.time_embedder is not None:
        assert embedded is not None
        table = (
            embedded.unflatten(1, (2, -1)) + decoder.scale_shift_table[None, ..., None, None, None]
        )
        shift, scale = table.unbind(dim=1)

    def apply(chunk: Tensor) -> Tensor:
        out: Tensor = decoder.conv_act(_normed(decoder.norm_out, chunk, scale, shift))
        return out

    return apply


def _spread(chunk: Tensor, stride: tuple[int, int, int]) -> Tensor:
    """Channels become frames, rows and columns."""
    batch, _, frames, rows, columns = chunk.shape
    spread = chunk.reshape(batch, -1, *stride, frames, rows, columns)
    return spread.permute(0, 1, 5, 2, 6, 3, 7, 4).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def _unpatched(decoder: Any, chunk: Tensor) -> Tensor:
    side, deep = decoder.patch_size, decoder.patch_size_t
    batch, _, frames, rows, columns = chunk.shape
    spread = chunk.reshape(batch, -1, deep, side, side, frames, rows, columns)
    return spread.permute(0, 1, 5, 2, 6, 4, 7, 3).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def _split(chunks: Chunks, frames: int) -> Chunks:
    for chunk in chunks:
        yield from torch.split(chunk, frames, dim=2)


def _mapped(work: Callable[[Tensor], Tensor], chunks: Chunks) -> Chunks:
    for chunk in chunks:
        yield work(chunk)


class _Waiting:
    """Frames that went into a layer and are needed again beside what comes out of it."""

    def __init__(self) -> None:
        self._held: Tensor | None = None

    def noted(self, chunks: Chunks) -> Chunks:
        """The same chunks; each is held."""
        for chunk in chunks:
            self._held = chunk if self._held is None else torch.cat([self._held, chunk], dim=2)
            yield chunk

    def take(self, frames: int) -> Tensor:
        """The oldest frames, which are held no more."""
        assert self._held is not None
        taken, self._held = self._held[:, :, :frames], self._held[:, :, frames:]
        return taken
