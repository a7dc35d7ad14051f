"""Run `octopus train functional-tokens` and `octopus train merge`: train causal Octopuses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import options
from app.commands.options import Graph, find_master, needs_training_packages

if TYPE_CHECKING:
    from training.causal.call_rows import Master
    from training.rows.labelled_rows import RouterRow

_TEMPLATE_ROWS, _TEMPLATES_HELD_OUT = 6000, 400
_Rows = Annotated[
    list[Path] | None,
    typer.Option(
        help='Rows {"query", "node"[, "rewritten"]}; may be repeated. By default made-up rows for `subjects`.'
    ),
]


def functional_tokens(
    out: Annotated[Path, typer.Option(help="Folder of the artifact; it keeps the other masters in it.")],
    rows: _Rows = None,
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Rows to measure on; by default every tenth of --rows.")
    ] = None,
    graph: Graph = "subjects",
    master: options.Master = None,
    base: Annotated[
        str | None, typer.Option(help="Public base model: a folder, or a name on the Hub.")
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Train a base of a million parameters from nothing.")
    ] = False,
    slots: Annotated[int, typer.Option(min=1, help="Functional tokens in a new base.")] = 64,
    base_steps: Annotated[int, typer.Option(min=1, help="Batches for a tiny base.")] = 2400,
    steps: Annotated[int, typer.Option(min=1, help="Batches for the adapter.")] = 120,
    batch: Annotated[int, typer.Option(min=1, help="Rows in a batch.")] = 32,
    rate: Annotated[float, typer.Option(min=0.0, help="Learning rate of the adapter.")] = 1e-3,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 16,
    token_weight: Annotated[
        float, typer.Option(min=0.0, help="Weight of the functional token's loss.")
    ] = 1.0,
    balance_classes: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="0 gives rows equal weight, 1 neighbours; for skewed rows."),
    ] = 0.0,
    z_loss: Annotated[float, typer.Option(min=0.0, help="Weight of the router z-loss.")] = 0.0,
    load_balance: Annotated[float, typer.Option(min=0.0, help="Weight of the load-balance loss.")] = 0.0,
    save_every: Annotated[int, typer.Option(min=1, help="Batches between checkpoints.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed for weights, order and made-up rows.")] = 0,
) -> None:
    """Train a causal Octopus: functional tokens in a shared base, a LoRA adapter per master (extra `train`).

    After a kill, the same command continues where it was. Prints figures on rows that training did not see.
    """
    from agents.errors import InputError
    from app.commands.options import progress

    if tiny == (base is not None):
        raise InputError("either --base or --tiny is needed.", hint="--tiny trains on a laptop.")
    with needs_training_packages():
        from training.causal.call_trainer import LossWeights, Phase
        from training.causal.functional_tokens import FunctionalSettings, train_functional_tokens
    settings = FunctionalSettings(
        base=base,
        slots=slots,
        base_phase=Phase("base", base_steps, 3e-3, save_every=save_every),
        adapter_phase=Phase("adapter", steps, rate, save_every=save_every),
        batch=batch,
        rank=rank,
        loss=LossWeights(token_weight, z_loss, load_balance),
        balance_classes=balance_classes,
        seed=seed,
    )
    chosen = _master(graph, master)
    known, unseen = split_rows(rows, held_out, chosen, seed)
    with progress("Training", total=2.0 if tiny else 1.0) as advance:
        manifest = train_functional_tokens(
            known, unseen, master=chosen, out=out, settings=settings, advance=advance, report=_report
        )
    figures = manifest.masters[chosen.name].metrics
    typer.echo(
        f"{out}: {len(known)} rows, " + ", ".join(f"{key} {value:g}" for key, value in figures.items())
    )


def merge(
    artifact: Annotated[Path, typer.Option(help="Folder that `octopus train functional-tokens` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of the merged model.")],
    master: Annotated[
        str | None, typer.Option(help="The routing node whose adapter it is; by default the only one.")
    ] = None,
) -> None:
    """Merge a master's adapter into the base: a plain model for any server, and an artifact here."""
    with needs_training_packages():
        from training.causal.artifact import merge_adapter
    typer.echo(f"{out}: {merge_adapter(artifact, out, master)} merged")


def _master(graph: str, master: str | None) -> Master:
    from graphs.spec import spec_hash
    from training.causal.call_rows import Master

    spec, name = find_master(graph, master)
    return Master(name, spec.edges_at(name), spec.name, spec_hash(spec))


def split_rows(
    rows: list[Path] | None, held_out: list[Path] | None, master: Master, seed: int
) -> tuple[list[RouterRow], list[RouterRow]]:
    """Read the rows to train on and the rows to measure, or make them up."""
    from agents.errors import InputError
    from training.rows.labelled_rows import read_router_rows
    from training.rows.template_rows import load_templates, template_rows

    if rows:
        known = read_router_rows(rows, master.neighbours)
        if held_out:
            return known, [row for row in read_router_rows(held_out, master.neighbours) if row.held_out]
        measured = dict.fromkeys([k for k, row in enumerate(known) if row.held_out][::10])
        return [row for k, row in enumerate(known) if k not in measured], [known[k] for k in measured]
    if set(master.neighbours) != set(load_templates().nodes):
        raise InputError(
            f"there are no made-up rows for {master.graph!r}.", hint="Give --rows, or use --graph subjects."
        )
    unseen = template_rows(_TEMPLATES_HELD_OUT, seed=seed, held_out=True)
    return template_rows(_TEMPLATE_ROWS, seed=seed), unseen


def _report(phase: str, step: int, figures: dict[str, float]) -> None:
    said = ", ".join(f"{name} {value:g}" for name, value in figures.items() if name != "step")
    typer.echo(f"{phase} {step}: {said}", err=True)
