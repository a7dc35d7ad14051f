"""Train functional tokens briefly on made-up rows for the graph `subjects`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from training.rows.labelled_rows import RouterRow
from training.rows.template_rows import load_templates, template_rows

if TYPE_CHECKING:
    from training.causal.call_rows import CallRows, Master
    from training.causal.functional_tokens import FunctionalSettings

ROWS = template_rows(80, seed=0)
HELD_OUT = template_rows(16, seed=0, held_out=True)


def master(name: str = "octopus") -> Master:
    from training.causal.call_rows import Master

    own = load_templates().nodes
    edges = [Edge(NodeName(node), slot_token(k), part.rewrite) for k, (node, part) in enumerate(own.items())]
    return Master(NodeName(name), {edge.node: edge for edge in edges}, "subjects", "hash")


def settings(**named: Any) -> FunctionalSettings:
    from training.causal.call_trainer import Phase
    from training.causal.functional_tokens import FunctionalSettings

    phases = {
        "base_phase": Phase("base", 6, 3e-3, check_every=3, save_every=2),
        "adapter_phase": Phase("adapter", 4, 1e-3, check_every=2, save_every=2),
    }
    return FunctionalSettings(**{"batch": 4, "slots": 8, "threads": 1, "rank": 4} | phases | named)


def train(out: Path, name: str = "octopus", **named: Any) -> Any:
    from training.causal.functional_tokens import train_functional_tokens

    report = named.pop("report", lambda phase, step, figures: None)
    return train_functional_tokens(
        ROWS, HELD_OUT, master=master(name), out=out, settings=settings(**named), report=report
    )


def in_ids(folder: Path, rows: Sequence[RouterRow]) -> CallRows:
    """Return the rows with the ids of a tiny base."""
    from training.causal.base import TINY_FORMAT, bake_tiny
    from training.causal.call_rows import CallRows

    bake_tiny(folder, [row.query for row in ROWS], slots=8, seed=0)
    prompts = PromptFormat(PromptTokenizer.read(folder), *TINY_FORMAT)
    return CallRows.of(rows, prompts, master(), balance=0.0)
