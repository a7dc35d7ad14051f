"""Run `octopus train specialist sft|dpo`: train a worker's own model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import needs_training_packages

if TYPE_CHECKING:
    from training.specialist.rows import Kind

cli = typer.Typer(help="Train a worker's model: SFT, then DPO (extra `train`).", no_args_is_help=True)

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
    """Fine-tune on {"prompt", "completion"} or {"messages"} rows."""
    settings = {"rank": rank, "epochs": epochs, "batch": batch, "learning_rate": learning_rate}
    settings |= {"max_length": max_length, "save_steps": save_steps, "seed": seed}
    _train("sft", model, rows, out, evaluation, skip_bad, settings)


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
    beta: Annotated[float, typer.Option(min=0.0, help="Cost of departing from the reference.")] = 0.1,
    max_length: Length = 1024,
    save_steps: Save = 50,
    skip_bad: Skip = False,
    seed: Seed = 0,
) -> None:
    """Optimise preferences directly on {"prompt", "chosen", "rejected"} rows, after SFT."""
    settings = {"rank": rank, "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "beta": beta}
    settings |= {"max_length": max_length, "save_steps": save_steps, "seed": seed}
    _train("dpo", model, rows, out, evaluation, skip_bad, settings)


def _train(
    kind: Kind,
    model: str,
    rows: list[Path],
    out: Path,
    evaluation: list[Path] | None,
    skip_bad: bool,
    settings: dict[str, float],
) -> None:
    from app.commands.output import progress
    from training.specialist.trainer import train_specialist
    from training.specialist.trl import SpecialistSettings

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
