"""Make MiniLM's architecture with random weights, which is enough to train and export it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def load_random(weights: Path | None = None, *, attention: str = "eager") -> Any:
    """Take the place of `load_bert`."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "attn_implementation": attention,
    }
    model: Any = BertModel(BertConfig(**shape), add_pooling_layer=False)
    return model.eval()
