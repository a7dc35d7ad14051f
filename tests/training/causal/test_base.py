"""Add functional tokens to a base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError
from tests.training.causal.subjects import ROWS

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


@pytest.mark.parametrize("tied", [True, False])
def test_new_rows_are_distinct_in_both_tables(tied: bool) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    from training.causal.base import add_rows

    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            tie_word_embeddings=tied,
        )
    )  # fmt: skip
    add_rows(model, range(50, 60), seed=0)
    tables = [model.get_input_embeddings().weight, model.get_output_embeddings().weight]
    assert (tables[0] is tables[1]) == tied
    for table in tables:
        assert table.shape[0] == 60
        assert len(table[50:].unique(dim=0)) == 10


def test_a_public_base_keeps_its_chat_template(tmp_path: Path) -> None:
    from agents.octopus.causal.prompt import PromptTokenizer
    from training.causal.base import bake_public, save_tokenizer, tiny_model, train_tokenizer

    base, out = tmp_path / "base", tmp_path / "out"
    tokenizer = train_tokenizer([row.query for row in ROWS], slots=0, size=300)
    save_tokenizer(tokenizer, base)
    tiny_model(tokenizer.get_vocab_size(), seed=0, width=16, layers=1, heads=2).save_pretrained(base)
    template = "<|user|>{{ messages[0]['content'] }}<|assistant|>"
    (base / "chat_template.jinja").write_text(template)
    _, before, after = bake_public(out, str(base), slots=4, seed=0)
    assert before.startswith("<|user|>Below is a query")
    assert after == "<|assistant|>"
    read = PromptTokenizer.read(out)
    ids = {read.token_id(f"<nexa_{k}>") for k in range(4)}
    assert len(ids) == 4
    assert ids <= read.special


def test_a_truncated_public_base_is_refused_in_one_line(tmp_path: Path) -> None:
    from tests.training.tiny_model import make_base
    from training.causal.base import bake_public

    weights = make_base(tmp_path / "base") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="no causal model that can be read"):
        bake_public(tmp_path / "out", str(tmp_path / "base"), slots=4, seed=0)
