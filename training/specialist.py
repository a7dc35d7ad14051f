"""Train a specialist: supervised fine-tuning (SFT), then direct preference optimisation (DPO), with TRL.

    octopus train specialist sft --model BASE --rows sft.jsonl --out sft
    octopus train specialist dpo --model sft --rows pairs.jsonl --out worker       # model: hf:worker

Sources: Hu et al. 2021 (LoRA, arXiv 2106.09685); Rafailov et al. 2023 (DPO, arXiv 2305.18290). A run that was
killed continues from its newest complete checkpoint and ends with the same numbers.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.errors import InputError
from training.provenance import claim_folder, fingerprint
from training.rows.filters import Leaks, evaluation_texts
from training.rows.specialist import Kind, SpecialistRow, Text, check_rows, usable
from training.trl_trainers import SpecialistSettings, check_reference, make_trainer, train_from_newest

Metrics = dict[str, Any]

_VERBATIM = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


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
    """Train `model` on `rows`; write weights, tokenizer, loss.png and, last, metrics.json to `out`.

    Args:
        kind: of training.
        model: folder or Hub name of the model to start from; training continues a LoRA adapter in the folder.
        rows: JSON lines, as training/rows/specialist.py describes them.
        out: the new folder; a run that was killed there continues.
        settings: hyper-parameters.
        evaluation: rows that must not be learnt.
        skip_bad: leave bad rows out instead of refusing them.
        advance: called with the share of the training that was just done.

    Raises:
        InputError: rows that cannot be trained on, a model that cannot be loaded, or `out` holds another run.
    """
    from datasets import disable_progress_bars
    from transformers import set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bars()  # `advance` reports the progress
    disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(settings.seed)
    tokenizer = load_tokenizer(model)
    checked = check_rows(
        rows,
        kind,
        length=lambda row: max(len(encode(tokenizer, row.prompt, reply)[0]) for reply in row.replies),
        most=settings.max_length,
        leaks=Leaks(evaluation_texts(evaluation or [])),
    )
    training, held_out = _split(usable(checked, skip=skip_bad), settings)
    work = _work_folder(out, kind, model, (training, held_out), settings)
    loaded = load_model(model, settings)
    metrics: Metrics = {"kind": kind, "model": model, "settings": asdict(settings)}
    metrics |= {"rows": len(training), "held_out_rows": len(held_out), "left_out": checked.faults}
    metrics["before"] = held_out_metrics(loaded, tokenizer, held_out)
    trainer = make_trainer(kind, loaded, tokenizer, (training, held_out), settings, work)
    if kind == "dpo":
        metrics["step_0_loss"] = check_reference(trainer)
    train_from_newest(trainer, work, advance)
    metrics["after"] = held_out_metrics(trainer.model, tokenizer, held_out)
    metrics["history"] = trainer.state.log_history
    _save(trainer.model, tokenizer, out)
    draw_loss(out / "loss.png", metrics["history"])
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(work)
    return metrics


def _split(
    rows: list[SpecialistRow], settings: SpecialistSettings
) -> tuple[list[SpecialistRow], list[SpecialistRow]]:
    """Split into rows to train on and rows to measure; those with the same prompt stay together."""
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


def _work_folder(
    out: Path, kind: Kind, model: str, rows: Sequence[list[SpecialistRow]], settings: SpecialistSettings
) -> Path:
    """Return the folder of checkpoints, unless `out` holds a finished training or another run."""
    if (out / "metrics.json").exists():
        raise InputError(f"{out} holds a finished training.", hint="Give another folder, or delete it.")
    work = out / "checkpoints"
    content = fingerprint(*([(row.prompt, row.replies) for row in part] for part in rows))
    about = {"kind": kind, "model": model, "rows": content, **asdict(settings)}
    claim_folder(work, about, begun=(work / "settings.json").exists())
    return work


def load_tokenizer(model: str) -> Any:
    """Load the tokenizer of `model`, which must have an end token.

    Raises:
        InputError: it cannot be loaded, or has no end token.
    """
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


def load_model(model: str, settings: SpecialistSettings) -> Any:
    """Load a model with weights that train: all of them, a new LoRA adapter, or the one in its folder.

    Raises:
        InputError: it cannot be loaded.
    """
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


def _save(model: Any, tokenizer: Any, out: Path) -> None:
    # A model without a chat template gets one that passes text as it is, which is how it was trained.
    tokenizer.chat_template = tokenizer.chat_template or _VERBATIM
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


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
