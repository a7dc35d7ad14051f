"""TRL's trainers over rows of a specialist."""

from __future__ import annotations

from typing import Any

from training.specialist.rows import Kind, SpecialistRow


def make_trainer(
    kind: Kind,
    model: Any,
    tokenizer: Any,
    rows: tuple[list[SpecialistRow], list[SpecialistRow]],
    arguments: dict[str, Any],
) -> Any:
    """The trainer of `kind`.

    Args:
        kind: of training.
        model: whose weights train.
        tokenizer: its own.
        rows: to train on, and to measure on.
        arguments: of `SFTConfig` or `DPOConfig`.
    """
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    names = ("completion",) if kind == "sft" else ("chosen", "rejected")
    training, held_out = (Dataset.from_list([_columns(row, names) for row in part]) for part in rows)
    make, configure = (SFTTrainer, SFTConfig) if kind == "sft" else (DPOTrainer, DPOConfig)
    trainer = make(
        model=model,
        args=configure(**arguments),
        train_dataset=training,
        eval_dataset=held_out,
        processing_class=tokenizer,
    )
    if kind == "dpo":
        _complete_reference(trainer.model)
    return trainer


def _columns(row: SpecialistRow, names: tuple[str, ...]) -> dict[str, Any]:
    """A row as TRL reads it; the replies are in the form of the prompt."""
    replies = [
        text if isinstance(row.prompt, str) else [{"role": "assistant", "content": text}]
        for text in row.replies
    ]
    return {"prompt": row.prompt, **dict(zip(names, replies, strict=False))}


def _complete_reference(model: Any) -> None:
    """TRL's copy of an adapter misses parameters whose name ends in `.default` (trainable tokens)."""
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        reference = parameters.get(name.removesuffix(".default") + ".ref")
        if name.endswith(".default") and reference is not None:
            reference.data.copy_(parameter.data)
