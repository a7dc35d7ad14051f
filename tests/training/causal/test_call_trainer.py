"""Check the loss, the learning rate and the checkpoint of a training on calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_terms_of_the_loss_push_where_they_should() -> None:
    import torch

    from training.causal.call_rows import CallExample
    from training.causal.call_trainer import LossWeights, token_loss

    start = torch.randn(64, 6, generator=torch.Generator().manual_seed(0)) + torch.tensor(
        [3.0, 2, 2, 0, 0, 0]
    )
    examples = [CallExample((), 0, k % 3, 1.0) for k in range(64)]

    def after(weights: LossWeights) -> Any:
        logits = start.clone().requires_grad_()
        optimizer = torch.optim.SGD([logits], lr=2.0)
        for _ in range(50):
            optimizer.zero_grad()
            loss: Any = token_loss(logits, examples, [0, 1, 2], weights)
            loss.backward()
            optimizer.step()
        return logits.detach()[:, :3]

    none, z = after(LossWeights(0.0)), after(LossWeights(0.0, z=0.1))
    balanced = after(LossWeights(0.0, balance=5.0))
    assert z.logsumexp(-1).abs().mean() < none.logsumexp(-1).abs().mean()
    spread = [logits.softmax(-1).mean(0).std() for logits in (none, balanced)]
    assert spread[1] < spread[0]


def test_the_learning_rate_warms_up_and_falls_to_a_twentieth() -> None:
    from training.causal.call_trainer import Phase

    phase = Phase("base", 400, 1e-3)
    rates = [phase.rate(step) for step in range(400)]
    assert rates[0] == pytest.approx(1e-3 / 50) and max(rates) == pytest.approx(1e-3)
    assert rates[50:200] == pytest.approx([1e-3] * 150)
    assert rates[-1] == pytest.approx(5e-5, rel=0.01)


def test_a_state_is_read_back_by_its_own_training_only(tmp_path: Path) -> None:
    from training.causal.call_trainer import Checkpoint

    own = Checkpoint(tmp_path / "folder" / "state.pt", "a")
    assert own.load() is None
    own.save({"step": 1})
    own.save({"step": 2})
    state = own.load()
    assert state is not None and state["step"] == 2
    with pytest.raises(InputError, match="other rows or settings"):
        Checkpoint(own.path, "b").load()
    own.remove()
    assert own.load() is None and not list(own.path.parent.iterdir())
