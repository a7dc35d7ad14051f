"""Train a specialist: supervised fine-tuning (SFT), then direct preference optimisation (DPO), with TRL.

    octopus train specialist sft --model BASE --rows sft.jsonl --out sft
    octopus train specialist dpo --model sft --rows pairs.jsonl --out worker       # model: hf:worker

Hu et al. 2021 (LoRA, arXiv 2106.09685); Rafailov et al. 2023 (DPO, arXiv 2305.18290). A run that was killed
goes on from its newest complete checkpoint and comes to the same numbers.
"""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.errors import InputError
from training.specialist.metrics import draw_loss, encode, held_out_metrics
from training.specialist.rows import Kind, Leaks, SpecialistRow, check_rows, evaluation_texts, usable
from training.specialist.trainer import make_trainer
from training.specialist.trainer_checkpoints import keeper, newest

Metrics = dict[str, Any]

_VERBATIM = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


@dataclass(frozen=True)
class SpecialistSettings:
    """Hyper-parameters.

    Attributes:
        rank: of LoRA; 0 trains all weights.
        epochs, batch, learning_rate: of AdamW, linear decay.
        beta: of DPO, how much straying from the reference costs.
        max_length: tokens of a row, prompt and reply.
        held_out: share of rows that are measured and not trained on.
        save_steps: steps between two checkpoints.
        seed: of the split, shuffling and new weights.
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


def train_specialist(
    kind: Kind,
    *,
    model: str,
    rows: list[Path],
    out: Path,
    settings: SpecialistSettings,
    evaluation: list[Path] | None = None,
    skip_bad: bool = False,
    advance: Callable[[float], None] = lambda share: None,
) -> Metrics:
    """Train `model` on `rows`; weights, tokenizer, loss.png and, last, metrics.json are written to `out`.

    Args:
        kind: of training.
        model: folder or hub name of the model to start from; a folder with a LoRA adapter goes on from it.
        rows: JSON lines as `specialist_rows` describes them.
        out: the new folder; a run that was killed is gone on with.
        settings: hyper-parameters.
        evaluation: rows that must not be learnt.
        skip_bad: leave bad rows out instead of refusing them.
        advance: called with the share of the training that went on.

    Raises:
        InputError: rows that cannot be trained on, a model that cannot be loaded, or `out` holds another run.
    """
    from datasets import disable_progress_bars
    from transformers import PrinterCallback, set_seed
    from transformers.utils.logging import disable_progress_bar

    from training.causal.checkpoint import fingerprint

    disable_progress_bars()  # `advance` tells how far it is
    disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(settings.seed)
    tokenizer = _tokenizer(model)
    checked = check_rows(
        rows,
        kind,
        length=lambda row: max(len(encode(tokenizer, row.prompt, reply)[0]) for reply in row.replies),
        most=settings.max_length,
        leaks=Leaks(evaluation_texts(evaluation or [])),
    )
    training, held_out = _split(usable(checked, skip=skip_bad), settings)
    content = fingerprint(*([(row.prompt, row.replies) for row in part] for part in (training, held_out)))
    work = _work_folder(out, {"kind": kind, "model": model, "rows": content, **asdict(settings)})
    loaded = _load(model, settings)
    metrics: Metrics = {"kind": kind, "model": model, "settings": asdict(settings)}
    metrics |= {"rows": len(training), "held_out_rows": len(held_out), "left_out": checked.faults}
    metrics["before"] = held_out_metrics(loaded, tokenizer, held_out)
    trainer = make_trainer(kind, loaded, tokenizer, (training, held_out), _arguments(kind, work, settings))
    if kind == "dpo":
        metrics["step_0_loss"] = check_reference(trainer)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(keeper(advance))
    checkpoint = newest(work)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    metrics["after"] = held_out_metrics(trainer.model, tokenizer, held_out)
    metrics["history"] = trainer.state.log_history
    _save(trainer.model, tokenizer, out)
    draw_loss(out / "loss.png", metrics["history"])
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(work)
    return metrics


def check_reference(trainer: Any) -> float:
    """The DPO loss before the first step, which is ln 2 = 0.6931 where policy and reference are the same.

    Raises:
        RuntimeError: it is not: the reference is another model, and training would go astray.
    """
    rows = trainer.train_dataset.select(range(min(len(trainer.train_dataset), 16)))
    loss = float(trainer.evaluate(rows, metric_key_prefix="step_0")["step_0_loss"])
    trainer.state.log_history.clear()
    if abs(loss - math.log(2)) > 1e-3:
        raise RuntimeError(
            f"the DPO loss at step 0 is {loss:.4f}, not 0.6931: the reference is not the policy."
        )
    return round(loss, 4)


def _split(
    rows: list[SpecialistRow], settings: SpecialistSettings
) -> tuple[list[SpecialistRow], list[SpecialistRow]]:
    """Rows to train on and rows to measure on; those with the same prompt stay together."""
    by_prompt: dict[str, list[SpecialistRow]] = {}
    for row in rows:
        by_prompt.setdefault(json.dumps(row.prompt), []).append(row)
    if len(by_prompt) < 2:
        raise InputError("all rows have the same prompt.", hint="Give rows of at least two.")
    groups = list(by_prompt.values())
    random.Random(settings.seed).shuffle(groups)  # noqa: S311 - a split
    measured = min(len(groups) - 1, max(1, round(settings.held_out * len(groups))))
    held_out = [row for group in groups[:measured] for row in group]
    return [row for group in groups[measured:] for row in group], held_out


def _work_folder(out: Path, settings: dict[str, Any]) -> Path:
    """Where checkpoints are; one of a run with other settings is not gone on with."""
    work, text = out / "checkpoints", json.dumps(settings, sort_keys=True)
    note = work / "settings.json"
    if (out / "metrics.json").exists():
        raise InputError(f"{out} holds a finished training.", hint="Give another folder, or delete it.")
    if work.exists() and note.exists() and note.read_text(encoding="utf-8") != text:
        raise InputError(
            f"{work} is of a run with other settings or rows.", hint="Delete it to start afresh."
        )
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")
    return work


def _tokenizer(model: str) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise InputError(f"{model!r} cannot be loaded: {str(error).splitlines()[0]}") from error
    if tokenizer.eos_token_id is None:
        raise InputError(f"the tokenizer of {model!r} has no end token.", hint="Set its eos_token.")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _load(model: str, settings: SpecialistSettings) -> Any:
    """The model with weights that train: all of them, a new LoRA adapter, or the one that is there."""
    from peft import LoraConfig, PeftModel, get_peft_model
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    adapter = Path(model) / "adapter_config.json"
    try:
        if adapter.is_file():
            base = json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"]
            loaded = AutoModelForCausalLM.from_pretrained(base)
            tuned: Any = PeftModel.from_pretrained(loaded, model, is_trainable=True)
            return tuned if settings.rank else tuned.merge_and_unload()
        loaded = AutoModelForCausalLM.from_pretrained(model)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise InputError(f"{model!r} cannot be loaded: {str(error).splitlines()[0]}") from error
    if not settings.rank:
        return loaded
    config = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear")
    return get_peft_model(loaded, config)


def _arguments(kind: Kind, work: Path, settings: SpecialistSettings) -> dict[str, Any]:
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


def _save(model: Any, tokenizer: Any, out: Path) -> None:
    # As a worker a model without a template of its own gets the text that it was trained on, and no roles.
    tokenizer.chat_template = tokenizer.chat_template or _VERBATIM
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
