"""Make a causal model of about ten thousand parameters with a word-level tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ADJECTIVES = "red green blue old new small big cold warm soft hard clean".split()
NOUNS = "door house car box hat cup ball book lamp ring shoe coat".split()

TEMPLATE = "{% for m in messages %}{{ '<' + m['role'] + '> ' + m['content'] + ' ' }}{% endfor %}"


def prompt_of(adjective: str, noun: str) -> str:
    return f"see the {adjective} {noun} : what is it ?"


def long_answer(adjective: str, noun: str) -> str:
    return f" the {noun} is {adjective}"


def short_answer(adjective: str, noun: str) -> str:
    return f" it is {adjective}"


def make_base(folder: Path, *, chat: bool = False) -> Path:
    """Write an untrained Llama and its tokenizer to `folder`."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<pad>", "<end>", "<unk>", *"see the : what is it ? <user> <assistant> <system>".split()]
    vocabulary = {word: k for k, word in enumerate([*words, *ADJECTIVES, *NOUNS])}
    plain = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = WhitespaceSplit()
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=plain, pad_token="<pad>", eos_token="<end>", unk_token="<unk>")
    if chat:
        tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=64,
            intermediate_size=128,
            initializer_range=0.1,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=64,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=1,
            pad_token_id=0,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
