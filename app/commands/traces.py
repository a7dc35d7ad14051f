"""Run `octopus feedback` and `octopus train from-traces`: turn what users say into a better router."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Graph

if TYPE_CHECKING:
    from graphs.spec import GraphSpec
    from training.rows.labelled_rows import RouterRow

Traces = Annotated[list[Path], typer.Option(envvar="OCTOPUS_TRACES", help="Logs of runs; may be repeated.")]


def feedback(
    verdict: Annotated[str, typer.Argument(help="good or bad.")],
    turn: Annotated[
        str | None, typer.Option(help="Id of the run, or its beginning; by default the last.")
    ] = None,
    node: Annotated[
        str | None, typer.Option(help='The node where the question belongs; "none" if nowhere.')
    ] = None,
    answer: Annotated[str | None, typer.Option(help="A better answer.")] = None,
) -> None:
    """Rate a run that was logged to OCTOPUS_TRACES; `octopus train from-traces` learns from it."""
    from agents.errors import InputError
    from app.runs.traces import TraceLog
    from app.settings import Settings

    path = Settings.read().traces
    if path is None:
        raise InputError("runs are not logged.", hint="Set OCTOPUS_TRACES to a file before asking.")
    if verdict not in ("good", "bad"):
        raise InputError(f"the verdict must be good or bad, not {verdict!r}.")
    said: dict[str, Any] = {"score": 1 if verdict == "good" else -1}
    if node is not None:
        said["node"] = None if node == "none" else node
    if answer is not None:
        said["answer"] = answer
    typer.echo(f"kept for run {TraceLog(path).feedback(turn, said)}")


def from_traces(
    traces: Traces,
    out: Annotated[Path, typer.Option(help="Folder for rows and the candidate artifact.")],
    graph: Graph = "mmlu",
    gate: Annotated[
        Path | None,
        typer.Option(help='Held-out rows {"query", "node"} that decide; without them, rows only.'),
    ] = None,
    rows: Annotated[
        list[Path] | None, typer.Option(help="Rows of the current router's training, to train on again.")
    ] = None,
    promote: Annotated[
        Path | None, typer.Option(help="Artifact folder that the candidate replaces if it is better.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed for folds and intervals.")] = 0,
) -> None:
    """Turn feedback and verdicts into rows; with --gate train a router, and --promote it if it is better."""
    from agents.errors import InputError
    from agents.octopus.causal.manifest import is_causal
    from graphs.assembly import find_spec
    from training.rows.labelled_rows import read_router_rows
    from training.rows.traces import read_traces, rows_from

    if promote is not None and gate is None:
        raise InputError("--promote needs a --gate.", hint="Give held-out rows that decide.")
    if promote is not None and is_causal(promote):  # the gate compares encoders
        raise InputError(
            f"{promote} holds a causal Octopus, which cannot be compared with the candidate.",
            hint="Promote to another folder, or train on the rows with `octopus train functional-tokens`.",
        )
    spec = find_spec(graph)
    neighbours = spec.nodes[spec.entry].neighbours
    held_out = read_router_rows([gate], neighbours) if gate else []
    keep_out = {row.query for row in held_out}
    found = rows_from(read_traces(traces), neighbours, master=spec.entry, keep_out=keep_out)
    found.write(out)
    typer.echo(f"{out}: " + ", ".join(f"{name} {count}" for name, count in found.counts.items()))
    if gate is None:
        return
    before = read_router_rows(rows, neighbours) if rows else []
    training = [row for row in [*before, *found.router] if row.query not in keep_out]
    current = promote if promote is not None and (promote / "manifest.json").is_file() else None
    _train_and_compare(spec, training, held_out, out, current, promote, seed)


def _train_and_compare(
    spec: GraphSpec,
    training: list[RouterRow],
    held_out: list[RouterRow],
    out: Path,
    current: Path | None,
    target: Path | None,
    seed: int,
) -> None:
    """Train a candidate, compare it with the router in `current`, and promote it if it is better."""
    from app.commands.options import progress
    from app.settings import Settings
    from evaluation.report import points
    from evaluation.routing.side_by_side import promote, through_the_gate
    from graphs.assembly import assemble
    from graphs.spec import spec_hash
    from training.router.trainer import RouterSettings, train_router

    settings, master = Settings.read(), spec.entry
    assembly = assemble(spec, settings, artifact=current)
    candidate, options = out / "candidate", RouterSettings(seed=seed)
    with progress("Training", total=options.trainings) as advance:
        train_router(
            training,
            master=master,
            graph=spec.name,
            spec_hash=spec_hash(spec),
            out=candidate,
            settings=options,
            # It stays near the current router, which traces alone would make forget.
            start=assembly.routing.artifact(spec.nodes[master]),
            progress=advance,
        )
    new = assemble(spec, settings, artifact=candidate).routing.encoder_octopus(master)
    result = through_the_gate(assembly.routing.encoder_octopus(master), new, held_out, seed=seed)
    typer.echo(
        f"gate of {result.rows} rows: current {100 * result.current:.1f} %, "
        f"candidate {100 * result.candidate:.1f} %, gain {points(result.gain)}"
    )
    if not result.passed:
        typer.echo("not promoted: the interval of the gain does not lie above 0.")
    elif target is None:
        typer.echo(f"better; --promote DIR puts {candidate} in place.")
    else:
        promote(candidate, target)
        typer.echo(f"promoted to {target}; the one before is {target.name}.previous.")
