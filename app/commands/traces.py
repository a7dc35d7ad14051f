"""`octopus feedback` and `octopus train from-traces`: from what users said to a better router."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Graph

if TYPE_CHECKING:
    from agents.types import NodeName
    from graphs.spec import GraphSpec
    from training.rows.traces import TraceRows

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
    """Say what you think of a run that OCTOPUS_TRACES logged; `octopus train from-traces` learns from it."""
    from agents.errors import InputError
    from app.runs.traces import TraceLog
    from app.settings import Settings

    path = Settings.read().traces
    if path is None:
        raise InputError("runs are not logged.", hint="Set OCTOPUS_TRACES to a file before asking.")
    if verdict not in ("good", "bad"):
        raise InputError(f"{verdict!r} is neither good nor bad.")
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
        Path | None, typer.Option(help='Held-out rows {"query", "node"} that decide; without, rows only.')
    ] = None,
    rows: Annotated[
        list[Path] | None, typer.Option(help="Rows that the current router was trained on, to train on too.")
    ] = None,
    promote: Annotated[
        Path | None, typer.Option(help="Artifact folder that the candidate replaces if it is better.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of folds and intervals.")] = 0,
) -> None:
    """Turn feedback and verdicts into rows; with --gate train a router, and --promote it if it is better."""
    from agents.errors import InputError
    from agents.octopus.causal.manifest import is_causal
    from graphs.assembly.graph import find_spec
    from training.rows.labelled_rows import read_router_rows
    from training.rows.traces import read_traces, rows_from

    if promote is not None and gate is None:
        raise InputError("--promote needs a --gate.", hint="Give held-out rows that decide.")
    if promote is not None and is_causal(promote):  # the gate compares encoders
        raise InputError(
            f"{promote} holds a causal Octopus, with which no candidate is compared.",
            hint="Promote to another folder, or give the rows to `octopus train functional-tokens`.",
        )
    spec = find_spec(graph)
    neighbours = spec.nodes[spec.entry].neighbours
    held_out = read_router_rows([gate], neighbours) if gate else []
    keep_out = [row.query for row in held_out]
    found = rows_from(read_traces(traces), neighbours, master=spec.entry, keep_out=keep_out)
    found.write(out)
    typer.echo(f"{out}: " + ", ".join(f"{name} {count}" for name, count in found.counts.items()))
    if gate is not None:
        _train_and_compare(spec, spec.entry, found, held_out, rows or [], out, promote, seed)


def _train_and_compare(
    spec: GraphSpec,
    master: NodeName,
    found: TraceRows,
    held_out: list[Any],
    rows: list[Path],
    out: Path,
    target: Path | None,
    seed: int,
) -> None:
    from app.commands.progress import progress
    from app.settings import Settings
    from evaluation.report import points
    from evaluation.routing.gate import promote, through_the_gate
    from graphs.assembly.graph import Wiring, spec_hash
    from training.router.trainer import RouterSettings, train_router
    from training.rows.labelled_rows import read_router_rows

    settings = Settings.read()
    current_folder = target if target is not None and (target / "manifest.json").is_file() else None
    wiring = Wiring(spec, settings, artifact=current_folder)
    before = read_router_rows(rows, spec.nodes[master].neighbours) if rows else []
    apart = {row.query for row in held_out}
    training = [row for row in [*before, *found.router] if row.query not in apart]
    candidate, options = out / "candidate", RouterSettings(seed=seed)
    with progress("Training", total=options.folds + 1) as advance:
        train_router(
            training,
            master=master,
            graph=spec.name,
            spec_hash=spec_hash(spec),
            out=candidate,
            settings=options,
            # It stays near the current router, which traces alone would make forget.
            start=wiring.artifact(spec.nodes[master]),
            progress=lambda what, step: advance(step),
        )
    new = Wiring(spec, settings, artifact=candidate).encoder_octopus(master)
    result = through_the_gate(wiring.encoder_octopus(master), new, held_out, seed=seed)
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
