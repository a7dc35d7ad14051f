"""Train a causal Octopus: functional tokens in a shared base, one LoRA adapter per master.

    octopus train functional-tokens --graph subjects --tiny --out DIR             # minutes on two cores
    octopus train functional-tokens --graph G --rows F --base microsoft/Phi-3-mini-4k-instruct --out DIR

The base is made once, and is shared by all masters that are trained into the same folder later. A tiny base
starts from nothing, so its weights learn from the rows too. A public base keeps its weights, and only gets
new rows for the functional tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from agents.errors import InputError
from agents.octopus.causal.manifest import CausalManifest
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from training.causal.artifact import finish, score_calls, serving
from training.causal.base import TINY_FORMAT, bake_public, bake_tiny
from training.causal.call_rows import CallRows, Master, Sampler
from training.causal.call_trainer import CallTrainer, Checkpoint, LossWeights, Phase, Reporter
from training.provenance import fingerprint
from training.rows.labelled_rows import RouterRow

BASE = "base"
_BAKED = "baked.json"  # within the base, written last
_UNNAMED = "one whose name was not kept"  # in a folder of an older version
_CHECKED = 256  # held-out rows that are measured during training


@dataclass(frozen=True)
class FunctionalSettings:
    """Set the hyper-parameters.

    Attributes:
        base: public model, by folder or name; None makes a tiny one.
        slots: number of functional tokens in the vocabulary.
        base_phase: trains all weights of a tiny base.
        adapter_phase: trains the master's adapter.
        rank: of the adapter.
        balance_classes: 0 gives every row the same weight, 1 every node.
        longest: ids that an example may have.
        threads: of torch; None leaves the number to torch.
    """

    base: str | None = None
    slots: int = 64
    base_phase: Phase = field(default_factory=lambda: Phase("base", 2400, 3e-3))
    adapter_phase: Phase = field(default_factory=lambda: Phase("adapter", 120, 1e-3))
    batch: int = 32
    rank: int = 16
    loss: LossWeights = field(default_factory=LossWeights)
    balance_classes: float = 0.0
    longest: int = 512
    seed: int = 0
    threads: int | None = None


def train_functional_tokens(
    rows: Sequence[RouterRow],
    held_out: Sequence[RouterRow],
    *,
    master: Master,
    out: Path,
    settings: FunctionalSettings,
    report: Reporter = lambda phase, step, figures: None,
    advance: Callable[[float], None] = lambda step: None,
) -> CausalManifest:
    """Train the base if `out` has none, then the master's adapter; write the manifest last.

    After a kill, the same call continues where it was and ends with the same numbers.

    Args:
        rows: to train on.
        held_out: to measure and calibrate on.
        master: the node whose neighbours the rows name.
        out: the artifact's folder; the adapters of other masters in it stay.
        settings: hyper-parameters.
        report: called with phase, step and figures at each measurement.
        advance: called with shares of phases.

    Raises:
        InputError: there are no rows to train or to measure on, a neighbour's slot is not in the vocabulary,
            `out` has a base that was made otherwise, or another training was interrupted there.
    """
    if not rows or not held_out:
        raise InputError(
            f"{len(rows)} rows to train on and {len(held_out)} to measure on are too few.",
            hint="Give more --rows, or --held-out; rows with held_out false are never measured.",
        )
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    content = [[row.model_dump() for row in part] for part in (rows, held_out)]
    trace = fingerprint(master.name, dict(master.neighbours), asdict(settings), content)
    checkpoint = Checkpoint(out / "checkpoint" / "state.pt", trace)
    run = Training(rows, held_out, master, out, settings, checkpoint, report, advance)
    _check_base(out / BASE, settings)
    model, prompts = run.base()
    data = run.data(prompts)
    tuned = run.adapter(model, data)
    scores = score_calls(serving(tuned, data), data, held_out, generated=len(held_out))
    told = asdict(settings) | _made_with(out / BASE)
    manifest = finish(out, tuned, data, scores, master, told, run.history)
    checkpoint.remove()
    return manifest


def _check_base(folder: Path, settings: FunctionalSettings) -> None:
    """Refuse a base in `folder` that was made of another model, or with other slots, than `settings` say."""
    if not (folder / _BAKED).is_file():
        return
    made, asked = _made_with(folder), {"base": settings.base, "slots": settings.slots}
    if made["base"] != _UNNAMED and made != asked:
        raise InputError(
            f"{folder} was made with {_options(made)}, not with {_options(asked)}.",
            hint="Give what it was made with, or another --out.",
        )


def _baked(folder: Path) -> dict[str, Any]:
    baked: dict[str, Any] = json.loads((folder / _BAKED).read_text(encoding="utf-8"))
    return baked


def _made_with(folder: Path) -> dict[str, Any]:
    """Return the settings that the base in `folder` was made with."""
    baked = _baked(folder)
    return {"base": baked.get("base", _UNNAMED), "slots": baked["slots"]}


def _options(made: dict[str, Any]) -> str:
    """Return the command line's options for such a base."""
    base = "--tiny" if made["base"] is None else f"--base {made['base']}"
    return f"{base} --slots {made['slots']}"


@dataclass
class Training:
    """Make the parts of an artifact, one after the other; see `train_functional_tokens`.

    Attributes:
        checkpoint: where a killed training continues.
        history: measurements by phase.
    """

    rows: Sequence[RouterRow]
    held_out: Sequence[RouterRow]
    master: Master
    out: Path
    settings: FunctionalSettings
    checkpoint: Checkpoint
    report: Reporter = lambda phase, step, figures: None
    advance: Callable[[float], None] = lambda share: None
    history: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def base(self) -> tuple[Any, PromptFormat]:
        """Load the base from `out`, or make it, and return it with its prompts."""
        folder = self.out / BASE
        if not (folder / _BAKED).is_file():
            self._make_base(folder)
        from transformers import AutoModelForCausalLM

        baked = _baked(folder)
        self.history["base"] = baked["history"]
        auto: Any = AutoModelForCausalLM
        model = auto.from_pretrained(folder, dtype="auto")
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        return model, PromptFormat(PromptTokenizer.read(folder), baked["before"], baked["after"])

    def _make_base(self, folder: Path) -> None:
        settings, history = self.settings, list[dict[str, float]]()
        slots, seed = settings.slots, settings.seed
        if settings.base is None:
            texts = [text for row in self.rows for text in (row.query, row.rewritten or "")]
            model = bake_tiny(folder, texts, slots=slots, seed=seed)
            before, after = TINY_FORMAT
            data = self.data(PromptFormat(PromptTokenizer.read(folder), before, after))
            history = self._train(model, data, settings.base_phase, copying=True)
        else:
            model, before, after = bake_public(folder, settings.base, slots=slots, seed=seed)
        model.save_pretrained(folder)
        made = {"base": settings.base, "slots": slots}
        baked = made | {"before": before, "after": after, "history": history}
        (folder / _BAKED).write_text(json.dumps(baked, indent=2) + "\n", encoding="utf-8")

    def data(self, prompts: PromptFormat) -> CallRows:
        """Return the training rows with the ids of the base."""
        return CallRows.of(self.rows, prompts, self.master, balance=self.settings.balance_classes)

    def adapter(self, model: Any, data: CallRows) -> Any:
        """Train the master's adapter on all linear layers of `model` but the head, and return both."""
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(self.settings.seed)
        rank = self.settings.rank
        config = LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.0
        )
        tuned = get_peft_model(model, config)
        self.history["adapter"] = self._train(tuned, data, self.settings.adapter_phase, copying=False)
        return tuned

    def _train(self, model: Any, data: CallRows, phase: Phase, *, copying: bool) -> list[dict[str, float]]:
        settings, checked = self.settings, self.held_out[:_CHECKED]
        seed = f"{settings.seed}:{phase.name}"
        sampler = Sampler(data, settings.batch, seed, phase.steps, copying, settings.longest)

        def measure() -> dict[str, float]:
            return score_calls(serving(model, data), data, checked, generated=_CHECKED // 4).figures()

        trainer = CallTrainer(
            model, sampler, settings.loss, self.checkpoint, measure, self.report, self.advance
        )
        return trainer.train(phase, data.legal)
