"""`octopus train specialist sft|dpo`: a worker's own model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.specialist.rows import Kind

cli = typer.Typer(help="Train a worker's model: SFT, then DPO (extra `train`).", no_args_is_help=True)

Model = Annotated[str, typer.Option(help="Folder or hub name to start from; a LoRA folder is gone on from.")]
Rows = Annotated[list[Path], typer.Option(help="JSON lines; may be repeated.")]
Out = Annotated[Path, typer.Option(help="Folder of the new model; a killed run is gone on with.")]
Evaluation = Annotated[
    list[Path] | None, typer.Option(help="Rows with query, question or prompt that must not be learnt.")
]
Rank = Annotated[int, typer.Option(min=0, help="Of LoRA; 0 trains all weights.")]
Epochs = Annotated[float, typer.Option(min=0.01, help="Passes over the rows.")]
Batch = Annotated[int, typer.Option(min=1, help="Rows of a step.")]
Rate = Annotated[float, typer.Option(min=0.0, help="Learning rate.")]
Length = Annotated[int, typer.Option(min=8, help="Tokens a row may have.")]
Save = Annotated[int, typer.Option(min=1, help="Steps between two checkpoints.")]
Skip = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out instead of refusing them.")]
Seed = Annotated[int, typer.Option(help="Of the split, shuffling and new weights.")]


@cli.callback()
def _specialist() -> None:
    """Train a worker's model: SFT, then DPO (extra `train`)."""


@cli.command()
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
    """Supervised fine-tuning on {"prompt", "completion"} or {"messages"} rows."""
    _train(
        "sft",
        model,
        rows,
        out,
        evaluation,
        skip_bad,
        rank=rank,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        max_length=max_length,
        save_steps=save_steps,
        seed=seed,
    )


@cli.command()
def dpo(
    model: Model,
    rows: Rows,
    out: Out,
    evaluation: Evaluation = None,
    rank: Rank = 16,
    epochs: Epochs = 1.0,
    batch: Batch = 8,
    learning_rate: Rate = 1e-5,
    beta: Annotated[float, typer.Option(min=0.0, help="What straying from the reference costs.")] = 0.1,
    max_length: Length = 1024,
    save_steps: Save = 50,
    skip_bad: Skip = False,
    seed: Seed = 0,
) -> None:
    """Direct preference optimisation on {"prompt", "chosen", "rejected"} rows, after SFT."""
    _train(
        "dpo",
        model,
        rows,
        out,
        evaluation,
        skip_bad,
        rank=rank,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        beta=beta,
        max_length=max_length,
        save_steps=save_steps,
        seed=seed,
    )


def _train(
    kind: Kind,
    model: str,
    rows: list[Path],
    out: Path,
    evaluation: list[Path] | None,
    skip_bad: bool,
    **settings: float,
) -> None:
    from app.commands.options import needs_training_packages
    from app.commands.progress import progress
    from training.specialist.specialist import SpecialistSettings, train_specialist

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
    typer.echo(f"A worker gets it by the line  model: hf:{out}")
