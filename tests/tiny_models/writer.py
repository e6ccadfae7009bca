"""Builds a tiny random language model: `python writer.py FOLDER`, by vLLM's own Python.

A byte-level tokenizer of some 400 tokens and two layers of noise: it writes gibberish, which is
what the script agent must bear, and half a megabyte is served within a minute.
"""

from __future__ import annotations

import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

CONTEXT_TOKENS = 16_384
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_CORPUS = [
    "the hero walks into the forest and the camera pans slowly. a lantern, night rain, city street. ",
    '{"shots":[{"prompt":"a","camera":"static","characters":["Mira"],"narration":"x","seconds":4}]}',
    "user assistant system Continue the story. She opened the door and found the map.",
] * 50
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(folder: str) -> None:
    """Save model and tokenizer, the same ones every time."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=_SPECIAL[2],
        pad_token=_SPECIAL[0],
        bos_token=_SPECIAL[0],
    )
    fast.chat_template = _TEMPLATE
    fast.model_max_length = CONTEXT_TOKENS
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=CONTEXT_TOKENS,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        tie_word_embeddings=True,
    )
    Qwen3ForCausalLM(config).to(torch.float32).save_pretrained(folder)


if __name__ == "__main__":
    build(sys.argv[1])
