"""Train a causal Octopus: functional tokens in a shared base, one LoRA adapter per master.

    octopus train functional-tokens --graph subjects --tiny --out DIR             # minutes on two cores
    octopus train functional-tokens --graph G --rows F --base microsoft/Phi-3-mini-4k-instruct --out DIR

The base is made once and is shared by the masters that are trained into the same folder later. A tiny base
starts from nothing, so its weights learn from the rows too; a public base stays as it is but for its new
rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from agents.errors import InputError
from agents.octopus.causal.grammar import Grammar
from agents.octopus.causal.manifest import CausalManifest
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from agents.types import FunctionalToken, NodeName
from training.causal.call_loss import LossWeights
from training.causal.call_rows import CallRows, Sampler, class_weights
from training.causal.call_scores import score_calls, serving
from training.causal.call_trainer import CallTrainer, Phase, Report
from training.causal.checkpoint import Checkpoint, fingerprint
from training.causal.functional_base import bake_public, bake_tiny, tiny_format
from training.rows.labelled_rows import RouterRow

BASE = "base"
_BAKED = "baked.json"  # within the base, written last
_UNNAMED = "one whose name was not kept"  # of a folder of an older version
_CHECKED = 256  # held-out rows of a measurement during training


@dataclass(frozen=True)
class FunctionalSettings:
    """Hyper-parameters.

    Attributes:
        base: public model, by folder or name; None makes a tiny one.
        slots: functional tokens in the vocabulary.
        base_phase: of a tiny base, all weights.
        adapter_phase: of the master's adapter.
        rank: of the adapter.
        balance_classes: 0 weights rows alike, 1 nodes.
        threads: of torch; None leaves it to torch.
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


@dataclass(frozen=True)
class Master:
    """Whose neighbours the rows name.

    Attributes:
        neighbours: functional token of each.
        templates: what a worker's query looks like where a row does not say.
        graph, spec_hash: of the spec.
    """

    name: NodeName
    neighbours: Mapping[NodeName, FunctionalToken]
    templates: Mapping[NodeName, str]
    graph: str
    spec_hash: str


def train_functional_tokens(
    rows: Sequence[RouterRow],
    held_out: Sequence[RouterRow],
    *,
    master: Master,
    out: Path,
    settings: FunctionalSettings,
    report: Report = lambda phase, step, figures: None,
    advance: Callable[[float], None] = lambda step: None,
) -> CausalManifest:
    """Train the base if `out` has none, then the master's adapter; the manifest is written last.

    Killed, the same call goes on where it was and ends with the same numbers.

    Args:
        rows: to train on.
        held_out: to measure and calibrate on.
        master: whose neighbours they name.
        out: the artifact's folder; other masters' adapters in it stay.
        settings: hyper-parameters.
        report: called with phase, step and figures at each measurement.
        advance: called with shares of phases.

    Raises:
        InputError: there are no rows to train or to measure on, a neighbour's slot is not in the vocabulary,
            `out` has a base that was made otherwise, or another training was interrupted there.
    """
    from training.causal.functional_artifact import finish

    if not rows or not held_out:
        raise InputError(
            f"{len(rows)} rows to train on and {len(held_out)} to measure on are too few.",
            hint="Give more --rows, or --held-out; rows that are not to be held out are not measured on.",
        )
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    content = [[row.model_dump() for row in part] for part in (rows, held_out)]
    trace = fingerprint(master.name, dict(master.neighbours), asdict(settings), content)
    checkpoint = Checkpoint(out / "checkpoint" / "state.pt", trace)
    run = Training(rows, held_out, master, out, settings, checkpoint, report, advance)
    check_base(out / BASE, settings)
    model, prompts = run.base()
    data = run.data(prompts)
    tuned, history = run.adapter(model, data)
    scores = score_calls(serving(tuned, data), data, held_out, generated=len(held_out))
    told = asdict(settings) | made_with(out / BASE)
    manifest = finish(out, tuned, data, scores, master, told, run.history | {"adapter": history})
    checkpoint.remove()
    return manifest


def made_with(folder: Path) -> dict[str, Any]:
    """The settings that the base in `folder` was made with."""
    baked = json.loads((folder / _BAKED).read_text(encoding="utf-8"))
    return {"base": baked.get("base", _UNNAMED), "slots": baked["slots"]}


def check_base(folder: Path, settings: FunctionalSettings) -> None:
    """Refuse a base in `folder` that is not the one that `settings` ask for.

    Raises:
        InputError: it was made of another model, or with other slots.
    """
    if not (folder / _BAKED).is_file():
        return
    made, asked = made_with(folder), {"base": settings.base, "slots": settings.slots}
    if made["base"] != _UNNAMED and made != asked:
        raise InputError(
            f"{folder} was made with {_options(made)}, not with {_options(asked)}.",
            hint="Give what it was made with, or another --out.",
        )


def _options(made: dict[str, Any]) -> str:
    """How the command line asks for such a base."""
    base = "--tiny" if made["base"] is None else f"--base {made['base']}"
    return f"{base} --slots {made['slots']}"


@dataclass
class Training:
    """The parts of a training, one after the other; see `train_functional_tokens`.

    Attributes:
        checkpoint: where it goes on after a kill.
        history: measurements by phase.
    """

    rows: Sequence[RouterRow]
    held_out: Sequence[RouterRow]
    master: Master
    out: Path
    settings: FunctionalSettings
    checkpoint: Checkpoint
    report: Report = lambda phase, step, figures: None
    advance: Callable[[float], None] = lambda share: None
    history: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def base(self) -> tuple[Any, PromptFormat]:
        """The base, from `out` or else made, and its prompts."""
        folder = self.out / BASE
        if not (folder / _BAKED).is_file():
            self._make_base(folder)
        from transformers import AutoModelForCausalLM

        baked = json.loads((folder / _BAKED).read_text(encoding="utf-8"))
        self.history["base"] = baked["history"]
        auto: Any = AutoModelForCausalLM
        model = auto.from_pretrained(folder, dtype="auto")
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        return model, self._prompts(folder, baked["before"], baked["after"])

    def _make_base(self, folder: Path) -> None:
        settings, history = self.settings, list[dict[str, float]]()
        if settings.base is None:
            texts = [text for row in self.rows for text in (row.query, row.rewritten or "")]
            before, after = tiny_format()
            model = bake_tiny(folder, texts, slots=settings.slots, seed=settings.seed)
            data = self.data(self._prompts(folder, before, after))
            history = self._train(model, data, settings.base_phase, copying=True)
        else:
            model, before, after = bake_public(
                folder, settings.base, slots=settings.slots, seed=settings.seed
            )
        model.save_pretrained(folder)
        made = {"base": settings.base, "slots": settings.slots}
        baked = made | {"before": before, "after": after, "history": history}
        (folder / _BAKED).write_text(json.dumps(baked, indent=2) + "\n", encoding="utf-8")

    def adapter(self, model: Any, data: CallRows) -> tuple[Any, list[dict[str, float]]]:
        """The master's adapter on `model`, on all linear layers but the head."""
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(self.settings.seed)
        rank = self.settings.rank
        config = LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.0
        )
        tuned = get_peft_model(model, config)
        return tuned, self._train(tuned, data, self.settings.adapter_phase, copying=False)

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

    def data(self, prompts: PromptFormat) -> CallRows:
        """The rows in ids."""
        tokenizer = prompts.tokenizer
        neighbours = self.master.neighbours
        end = tokenizer.token_id("<nexa_end>")
        ids = {node: tokenizer.token_id(token) for node, token in neighbours.items()}
        missing = next((node for node, own in ids.items() if own is None), None)
        if missing is not None or end is None:
            raise InputError(
                f"the base has no token {neighbours[missing] if missing else '<nexa_end>'}.",
                hint="Make a base with more --slots in another folder.",
            )
        places = {str(node): place for place, node in enumerate(neighbours)}
        return CallRows(
            self.rows,
            prompts,
            Grammar(tokenizer, end),
            [*(own for own in ids.values() if own is not None), end],
            places,
            {str(node): template for node, template in self.master.templates.items()},
            class_weights(self.rows, places, self.settings.balance_classes),
        )

    @staticmethod
    def _prompts(folder: Path, before: str, after: str) -> PromptFormat:
        return PromptFormat(PromptTokenizer.read(folder), before, after)
