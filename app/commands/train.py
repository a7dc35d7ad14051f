"""Run `octopus train`: improve a graph's router, and train models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import functional_tokens, traces
from app.commands.answers import train_selector
from app.commands.options import Graph, Master, find_master, needs_training_packages
from app.commands.synthesize import synthesize

if TYPE_CHECKING:
    from training.router.trainer import RouterSettings
    from training.rows.specialist import Kind

cli = typer.Typer(help="Train routers and models.", no_args_is_help=True)
specialist = typer.Typer(help="Train a worker's model: SFT, then DPO (extra `train`).", no_args_is_help=True)
cli.command(name="functional-tokens")(functional_tokens.functional_tokens)
cli.command()(functional_tokens.merge)
cli.command("selector")(train_selector)
cli.command("synthesize")(synthesize)
cli.command("from-traces")(traces.from_traces)
cli.add_typer(specialist, name="specialist")


@cli.command()
def router(
    out: Annotated[Path, typer.Option(help="Folder of the new artifact.")],
    rows: Annotated[
        list[Path] | None, typer.Option(help='Rows {"query", "node"}, .jsonl or .jsonl.gz; may be repeated.')
    ] = None,
    paths: Annotated[
        list[Path] | None, typer.Option(help='Rows {"query", "path": [node, …]} instead, to plan.')
    ] = None,
    graph: Graph = "mmlu",
    master: Master = None,
    adapter: Annotated[
        bool, typer.Option(help="Train the encoder's upper layers too (extra `train`, about 25 minutes).")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Continue from the graph's artifact instead of afresh.")
    ] = False,
    languages: Annotated[
        bool, typer.Option(help="Train what reads other languages (extra `languages`); --out DIR/languages.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the adapter.")] = 4,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed for folds and shuffling.")] = 0,
    weights: Annotated[Path | None, typer.Option(help="The public encoder's weights, for --adapter.")] = None,
) -> None:
    """Train functional tokens on (query, node) rows, or the next-node Octopus on (query, path) rows.

    Prints figures on rows that training did not see.
    """
    from agents.errors import InputError
    from training.router.trainer import RouterSettings

    if bool(rows) == bool(paths):
        raise InputError("either --rows or --paths is needed.", hint="--rows for nodes, --paths for paths.")
    if paths:
        if adapter or go_on or master or languages:
            raise InputError(
                "--paths cannot be combined with --adapter, --continue, --languages or --master."
            )
        _train_on_paths(graph, paths, out, seed)
        return
    if languages and go_on:
        raise InputError("--languages cannot be combined with --continue.")
    settings = RouterSettings(
        folds=folds, adapter=adapter, epochs=epochs, seed=seed, public_weights=weights, languages=languages
    )
    _train_on_rows(graph, rows or [], out, master, settings, go_on=go_on)


def _train_on_paths(graph: str, paths: list[Path], out: Path, seed: int) -> None:
    from app.commands.options import progress
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec
    from graphs.spec import spec_hash
    from training.planner import PlannerSettings, train_path_router
    from training.rows.paths import read_path_rows

    spec = find_spec(graph)
    assembly = assemble(spec, Settings.read(), zero_shot=True)
    found = read_path_rows(paths, assembly.routing.path_graph)
    with progress("Training", total=1.0) as advance:
        metrics = train_path_router(
            found.rows,
            graph=assembly.routing.path_graph,
            docstrings=assembly.routing.docstrings,
            embed=assembly.routing.encoder.embed,
            name=spec.name,
            spec_hash=spec_hash(spec),
            out=out,
            settings=PlannerSettings(seed=seed),
            progress=advance,
        )
    left = f" ({found.outside} left out: they leave the graph)" if found.outside else ""
    typer.echo(_summary(out, f"{len(found.rows)} paths{left}", metrics))


def _train_on_rows(
    graph: str, rows: list[Path], out: Path, master: str | None, settings: RouterSettings, *, go_on: bool
) -> None:
    from app.commands.options import progress
    from app.settings import Settings
    from graphs.assembly import assemble
    from graphs.spec import spec_hash
    from training.router.trainer import train_router
    from training.rows.labelled_rows import read_router_rows

    spec, name = find_master(graph, master)
    found = read_router_rows(rows, spec.nodes[name].neighbours)
    start = assemble(spec, Settings.read()).routing.artifact(spec.nodes[name]) if go_on else None
    with progress("Training", total=settings.trainings) as advance:
        metrics = train_router(
            found,
            master=name,
            graph=spec.name,
            spec_hash=spec_hash(spec),
            out=out,
            settings=settings,
            start=start,
            progress=advance,
        )
    typer.echo(_summary(out, f"{len(found)} rows", metrics))


def _summary(out: Path, rows: str, metrics: dict[str, float]) -> str:
    return f"{out}: {rows}, " + ", ".join(f"{key} {value:g}" for key, value in metrics.items())


@cli.command()
def arithmetic(
    out: Annotated[Path, typer.Option(help="Folder of the new model.")],
    target: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Greedy accuracy at which training ends.")
    ] = 0.68,
    seed: Annotated[int, typer.Option(help="Seed for weights and problems.")] = 0,
) -> None:
    """Train a small, imperfect arithmetic model to measure reflection on (extra `train`, about 5 minutes)."""
    with needs_training_packages():
        from evaluation.labs.arithmetic_model import ArithmeticSettings, train_arithmetic
    accuracy = train_arithmetic(
        out,
        ArithmeticSettings(target=target, seed=seed),
        lambda step, share: typer.echo(f"step {step}: {100 * share:.1f} % right", err=True),
    )
    typer.echo(f"{out}: {100 * accuracy:.1f} % of held-out problems right, greedily")


Model = Annotated[str, typer.Option(help="Folder or Hub name to start from; a LoRA adapter there continues.")]
Rows = Annotated[list[Path], typer.Option(help="JSON lines; may be repeated.")]
Out = Annotated[Path, typer.Option(help="Folder of the new model; a run that was killed there continues.")]
Evaluation = Annotated[
    list[Path] | None, typer.Option(help="Rows with query, question or prompt that must not be learnt.")
]
Rank = Annotated[int, typer.Option(min=0, help="Rank of LoRA; 0 trains all weights.")]
Epochs = Annotated[float, typer.Option(min=0.01, help="Passes over the rows.")]
Batch = Annotated[int, typer.Option(min=1, help="Rows in a step.")]
Rate = Annotated[float, typer.Option(min=0.0, help="Learning rate.")]
Length = Annotated[int, typer.Option(min=8, help="Tokens that a row may have.")]
Save = Annotated[int, typer.Option(min=1, help="Steps between two checkpoints.")]
Skip = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out instead of refusing them.")]
Seed = Annotated[int, typer.Option(help="Seed for the split, shuffling and new weights.")]


@specialist.command()
def sft(
    model: Model,
    rows: Rows,
    out: Out,
    evaluation: Evaluation = None,
    rank: Rank = 16,
    epochs: Epochs = 3.0,
    batch: Batch = 8,
    learning_rate: Rate = 2e-4,
    max_length: Length = 1024,
    save_steps: Save = 50,
    skip_bad: Skip = False,
    seed: Seed = 0,
) -> None:
    """Fine-tune on {"prompt", "completion"} or {"messages"} rows."""
    settings = {"rank": rank, "epochs": epochs, "batch": batch, "learning_rate": learning_rate}
    settings |= {"max_length": max_length, "save_steps": save_steps, "seed": seed}
    _train_specialist("sft", model, rows, out, evaluation, skip_bad, settings)


@specialist.command()
def dpo(
    model: Model,
    rows: Rows,
    out: Out,
    evaluation: Evaluation = None,
    rank: Rank = 16,
    epochs: Epochs = 1.0,
    batch: Batch = 8,
    learning_rate: Rate = 1e-5,
    beta: Annotated[float, typer.Option(min=0.0, help="Cost of departing from the reference.")] = 0.1,
    max_length: Length = 1024,
    save_steps: Save = 50,
    skip_bad: Skip = False,
    seed: Seed = 0,
) -> None:
    """Optimise preferences directly on {"prompt", "chosen", "rejected"} rows, after SFT."""
    settings = {"rank": rank, "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "beta": beta}
    settings |= {"max_length": max_length, "save_steps": save_steps, "seed": seed}
    _train_specialist("dpo", model, rows, out, evaluation, skip_bad, settings)


def _train_specialist(
    kind: Kind,
    model: str,
    rows: list[Path],
    out: Path,
    evaluation: list[Path] | None,
    skip_bad: bool,
    settings: dict[str, float],
) -> None:
    from app.commands.options import progress
    from training.specialist import train_specialist
    from training.trl_trainers import SpecialistSettings

    with needs_training_packages(), progress("Training", total=1.0) as advance:
        metrics = train_specialist(
            kind,
            model=model,
            rows=rows,
            out=out,
            settings=SpecialistSettings(**settings),  # type: ignore[arg-type]
            evaluation=evaluation,
            skip_bad=skip_bad,
            advance=advance,
        )
    left = f", {len(metrics['left_out'])} left out" if metrics["left_out"] else ""
    typer.echo(f"{out}: {metrics['rows']} rows{left}; on {metrics['held_out_rows']} held-out rows:")
    for name, before in metrics["before"].items():
        typer.echo(f"  {name} {before:.4f} → {metrics['after'][name]:.4f}")
    typer.echo(f"Give it to a worker with the line  model: hf:{out}")
