"""`octopus train`: make a graph's router better, and the small model that reflection is measured on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Graph

cli = typer.Typer(help="Train routers and models.", no_args_is_help=True)


@cli.callback()
def _train() -> None:
    """Train routers and models."""


@cli.command()
def router(
    rows: Annotated[
        list[Path], typer.Option(help='Rows {"query", "node"}, .jsonl or .jsonl.gz; may be repeated.')
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new artifact.")],
    graph: Graph = "mmlu",
    master: Annotated[str | None, typer.Option(help="Which master; by default the entry.")] = None,
    adapter: Annotated[
        bool, typer.Option(help="Train the encoder's upper layers too (extra `train`, some 25 minutes).")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on from the graph's artifact instead of starting afresh.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Of the adapter.")] = 4,
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(help="Of folds and shuffling.")] = 0,
    weights: Annotated[Path | None, typer.Option(help="The public encoder's weights, for --adapter.")] = None,
) -> None:
    """Train functional tokens on (query, node) rows; prints accuracy and calibration by cross-validation."""
    from agents.errors import InputError
    from agents.types import NodeName
    from app.progress import progress
    from app.settings import Settings
    from app.wiring import Wiring, find_spec, spec_hash
    from training.router import RouterSettings, train_router
    from training.rows import read_router_rows

    spec = find_spec(graph)
    name = NodeName(master) if master else spec.entry
    if name not in spec.nodes or not spec.nodes[name].neighbours:
        raise InputError(
            f"{name!r} is not a node with neighbours.", hint=f"Masters: {', '.join(spec.masters)}."
        )
    found = read_router_rows(rows, spec.nodes[name].neighbours)
    start = Wiring(spec, Settings.read()).artifact(spec.nodes[name]) if go_on else None
    settings = RouterSettings(folds=folds, adapter=adapter, epochs=epochs, seed=seed, public_weights=weights)
    trainings = (settings.adapter_folds if adapter else folds) + 1
    with progress("Training", total=trainings) as advance:
        metrics = train_router(
            found,
            master=name,
            graph=spec.name,
            spec_hash=spec_hash(spec),
            out=out,
            settings=settings,
            start=start,
            progress=lambda what, step: advance(step),
        )
    typer.echo(
        f"{out}: {len(found)} rows, " + ", ".join(f"{key} {value:g}" for key, value in metrics.items())
    )


@cli.command()
def arithmetic(
    out: Annotated[Path, typer.Option(help="Folder of the new model.")],
    target: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Greedy accuracy at which training ends.")
    ] = 0.68,
    seed: Annotated[int, typer.Option(help="Of weights and problems.")] = 0,
) -> None:
    """Train a small, imperfect arithmetic model to measure reflection on (extra `train`, some 5 minutes)."""
    from app.commands.options import needs_training_packages

    with needs_training_packages():
        from training.arithmetic import ArithmeticSettings, train_arithmetic
    accuracy = train_arithmetic(
        out,
        ArithmeticSettings(target=target, seed=seed),
        lambda step, share: typer.echo(f"step {step}: {100 * share:.1f} % right", err=True),
    )
    typer.echo(f"{out}: {100 * accuracy:.1f} % of held-out problems right, greedily")
