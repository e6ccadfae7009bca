"""A tiny tokenizer and tiny text encoders, built here and not fetched."""

from __future__ import annotations

import string
from itertools import product

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

_VOCABULARY = 512
_MAX_TOKENS = 512
_WIDTH = 32
_CORPUS = [
    f"a {colour} {shape} moves {way} on a {ground} background"
    for colour, shape, way, ground in product(
        ("red", "green", "blue", "yellow", "white", "purple"),
        ("circle", "square", "triangle"),
        ("left", "right", "up", "down"),
        ("black", "grey", "white", "navy"),
    )
]


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A Unigram tokenizer that knows every letter; unknown characters become <unk>."""
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation, "\u2581"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        initial_alphabet=letters,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=_MAX_TOKENS,
    )


def tiny_umt5(words: int) -> UMT5EncoderModel:
    """A UMT5 encoder of two layers, 32 wide."""
    torch.manual_seed(0)
    config = UMT5Config(
        vocab_size=words,
        d_model=_WIDTH,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=32,
        feed_forward_proj="gated-gelu",
        pad_token_id=0,
        eos_token_id=1,
    )
    encoder: UMT5EncoderModel = UMT5EncoderModel(config).eval()
    return encoder


def tiny_t5(words: int) -> T5EncoderModel:
    """A T5 encoder of two layers, 32 wide."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=words,
        d_model=_WIDTH,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    encoder: T5EncoderModel = T5EncoderModel(config).eval()
    return encoder
