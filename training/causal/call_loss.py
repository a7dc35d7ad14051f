"""The loss of a causal Octopus: the call's text, its functional token, and terms that steady a router."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.causal.call_rows import IGNORED, Example, collate


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms.

    Attributes:
        token: of the functional token against the mean loss of the call's text.
        z: of the squared log-partition of the legal logits (ST-MoE's router z-loss, arXiv 2202.08906).
        balance: of the load-balance loss over the batch (Switch Transformer, arXiv 2101.03961).
    """

    token: float = 1.0
    z: float = 0.0
    balance: float = 0.0


def call_loss(model: Any, examples: Sequence[Example], legal: Sequence[int], weights: LossWeights) -> Tensor:
    """The mean loss of a batch, in nats.

    Args:
        model: a causal model; its output has logits [n, length, vocabulary].
        examples: the batch.
        legal: ids of functional tokens, `<nexa_end>` last.
        weights: of the terms.
    """
    ids, labels, choice = (part.to(model.device) for part in collate(examples))
    logits = model(ids, use_cache=False).logits.float()
    text = nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="sum"
    ) / (labels != IGNORED).sum().clamp(min=1)
    chosen = [row for row, example in enumerate(examples) if example.label >= 0]
    if not chosen:
        return text
    at = logits[chosen, choice[chosen]]
    own = [examples[row] for row in chosen]
    return text + token_loss(at, own, legal, weights)


def token_loss(
    logits: Tensor, examples: Sequence[Example], legal: Sequence[int], weights: LossWeights
) -> Tensor:
    """The functional token's part, from logits [n, vocabulary] at its position."""
    labels = torch.tensor([example.label for example in examples], device=logits.device)
    own = torch.tensor([example.weight for example in examples], device=logits.device)
    routing = logits[:, list(legal)]
    # Over the whole vocabulary: the token must also win against text, where no mask holds it.
    gold = torch.tensor(list(legal), device=logits.device)[labels]
    loss = weights.token * (nn.functional.cross_entropy(logits, gold, reduction="none") * own).mean()
    if weights.z:
        loss = loss + weights.z * routing.logsumexp(-1).square().mean()
    if weights.balance:
        probabilities = routing.softmax(-1)
        routed = nn.functional.one_hot(probabilities.argmax(-1), len(legal)).float().mean(0)
        loss = loss + weights.balance * len(legal) * (routed * probabilities.mean(0)).sum()
    return loss
