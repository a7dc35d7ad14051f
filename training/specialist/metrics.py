"""Measure a specialist on held-out rows, and draw the curve of its training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.errors import InputError
from training.specialist.rows import SpecialistRow, Text


def encode(tokenizer: Any, prompt: Text, reply: str) -> tuple[list[int], int]:
    """Return the ids of prompt, reply and end, as TRL makes them, and where the reply begins.

    Raises:
        InputError: the row is a chat, and the tokenizer has no chat template.
    """
    if isinstance(prompt, str):
        start = tokenizer(prompt)["input_ids"]
        return [*tokenizer(prompt + reply)["input_ids"], tokenizer.eos_token_id], len(start)
    if not tokenizer.chat_template:
        raise InputError("the tokenizer has no chat template.", hint="Give prompt and completion rows.")
    said = [*prompt, {"role": "assistant", "content": reply}]
    start = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False)
    return list(tokenizer.apply_chat_template(said, return_dict=False)), len(start)


def held_out_metrics(model: Any, tokenizer: Any, rows: Sequence[SpecialistRow]) -> dict[str, float]:
    """Measure rows that training does not see.

    Returns:
        `loss`: mean over rows of -ln p per token of the (chosen) reply, in nats.
        `exact`: share of rows whose greedy reply is the (chosen) one to its end, which is so if every token
        is the likeliest after those before it.
        `preferred`: for DPO, share of rows whose chosen reply has the higher log-probability.
    """
    import torch

    losses, exact, preferred = [], [], []
    model.eval()
    with torch.inference_mode():
        for row in rows:
            read = [_read(model, *encode(tokenizer, row.prompt, reply)) for reply in row.replies]
            losses.append(-read[0][0] / read[0][2])
            exact.append(read[0][1])
            if len(read) == 2:
                preferred.append(read[0][0] > read[1][0])
    found = {"loss": sum(losses) / len(rows), "exact": sum(exact) / len(rows)}
    return found | ({"preferred": sum(preferred) / len(rows)} if preferred else {})


def _read(model: Any, ids: list[int], start: int) -> tuple[float, bool, int]:
    """Return the reply's log-probability, whether greedy decoding gives it, and its number of tokens."""
    import torch

    given = torch.tensor([ids], device=model.device)
    logits = model(given).logits[0, start - 1 : -1].float().log_softmax(-1)
    target = given[0, start:]
    chosen = logits.gather(1, target[:, None]).sum()
    return float(chosen), bool((logits.argmax(-1) == target).all()), len(target)


def draw_loss(path: Path, history: Sequence[dict[str, float]]) -> None:
    """Draw the loss by step, in training and on held-out rows, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for name, label in (("loss", "training"), ("eval_loss", "held out")):
        points = [(entry["step"], entry[name]) for entry in history if name in entry]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker="." if len(points) < 20 else "")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats)")
    axes.legend()
    figure.savefig(path)  # a bare Figure draws with Agg, without a display
