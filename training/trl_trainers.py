"""Set up TRL's trainers for rows of a specialist, with checkpoints that survive a kill at any moment."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.rows.specialist import Kind, SpecialistRow

_COMPLETE = "complete"  # in a checkpoint's folder, written last


@dataclass(frozen=True)
class SpecialistSettings:
    """Set the hyper-parameters.

    Attributes:
        rank: of LoRA; 0 trains all weights.
        epochs, batch, learning_rate: of AdamW with linear decay.
        beta: of DPO: the cost of departing from the reference.
        max_length: tokens that a row may have, prompt and reply together.
        held_out: share of rows that are measured and not trained on.
        save_steps: steps between two checkpoints.
        seed: for the split, shuffling and new weights.
    """

    rank: int = 16
    epochs: float = 3.0
    batch: int = 8
    learning_rate: float = 2e-4
    beta: float = 0.1
    max_length: int = 1024
    held_out: float = 0.1
    save_steps: int = 50
    seed: int = 0


def make_trainer(
    kind: Kind,
    model: Any,
    tokenizer: Any,
    rows: tuple[list[SpecialistRow], list[SpecialistRow]],
    settings: SpecialistSettings,
    work: Path,
) -> Any:
    """Make TRL's trainer for `kind`.

    Args:
        kind: of training.
        model: the model to train.
        tokenizer: the model's own.
        rows: to train on, and to measure on.
        settings: hyper-parameters.
        work: folder for checkpoints.
    """
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    names = ("completion",) if kind == "sft" else ("chosen", "rejected")
    training, held_out = (Dataset.from_list([_columns(row, names) for row in part]) for part in rows)
    make, configure = (SFTTrainer, SFTConfig) if kind == "sft" else (DPOTrainer, DPOConfig)
    trainer = make(
        model=model,
        args=configure(**_arguments(kind, settings, work)),
        train_dataset=training,
        eval_dataset=held_out,
        processing_class=tokenizer,
    )
    if kind == "dpo":
        _complete_reference(trainer.model)
    return trainer


def _columns(row: SpecialistRow, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a row in TRL's columns; the replies have the form of the prompt."""
    replies = [
        text if isinstance(row.prompt, str) else [{"role": "assistant", "content": text}]
        for text in row.replies
    ]
    return {"prompt": row.prompt, **dict(zip(names, replies, strict=False))}


def _complete_reference(model: Any) -> None:
    """Copy what TRL's copy of an adapter misses: parameters that end in `.default` (trainable tokens)."""
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        reference = parameters.get(name.removesuffix(".default") + ".ref")
        if name.endswith(".default") and reference is not None:
            reference.data.copy_(parameter.data)


def _arguments(kind: Kind, settings: SpecialistSettings, work: Path) -> dict[str, Any]:
    """Return the arguments of `SFTConfig` or `DPOConfig`."""
    import torch

    own = {"completion_only_loss": True} if kind == "sft" else {"beta": settings.beta}
    return own | {
        "output_dir": str(work),
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch,
        "per_device_eval_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "max_length": settings.max_length,
        "save_steps": settings.save_steps,
        "save_total_limit": 2,
        "eval_strategy": "steps",
        "eval_steps": settings.save_steps,
        "logging_steps": max(1, settings.save_steps // 10),
        "seed": settings.seed,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        "activation_checkpointing": False,
        "disable_tqdm": True,
        "report_to": "none",
    }


def check_reference(trainer: Any) -> float:
    """Return the DPO loss before the first step, which is ln 2 = 0.6931 if policy and reference are the same.

    Raises:
        RuntimeError: it is not; the reference is another model, and training would go wrong.
    """
    rows = trainer.train_dataset.select(range(min(len(trainer.train_dataset), 16)))
    loss = float(trainer.evaluate(rows, metric_key_prefix="step_0")["step_0_loss"])
    trainer.state.log_history.clear()
    if abs(loss - math.log(2)) > 1e-3:
        raise RuntimeError(
            f"the DPO loss at step 0 is {loss:.4f}, not 0.6931: the reference is not the policy."
        )
    return round(loss, 4)


def train_from_newest(trainer: Any, work: Path, advance: Callable[[float], None]) -> None:
    """Train from the newest complete checkpoint in `work` to the end; delete those that were cut off.

    Args:
        trainer: from `make_trainer`.
        work: the folder of its checkpoints.
        advance: called with the share of the training that each step takes.
    """
    from transformers import PrinterCallback, TrainerCallback

    class Keeper(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _COMPLETE).touch()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(1 / state.max_steps)

    complete = []
    for path in work.glob("checkpoint-*"):
        if (path / _COMPLETE).exists():
            complete.append(path)
        else:
            shutil.rmtree(path)
    newest = max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Keeper())
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
