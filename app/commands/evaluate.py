"""Run `octopus eval`: measurements, each beside a baseline from the same run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.answers import Recorded
from app.commands.options import (
    Artifact,
    Data,
    Graph,
    needs_training_packages,
    progress,
)

if TYPE_CHECKING:
    from evaluation.report import Report
    from graphs.assembly import Assembly

cli = typer.Typer(help="Measure.", no_args_is_help=True)

Output = Annotated[Path | None, typer.Option(help="Folder for the report: Markdown, JSON and pictures.")]


@cli.command()
def routing(
    data: Data = None,
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Number of random exam questions.")] = None,
    output: Output = None,
    baselines: Annotated[
        bool, typer.Option(help="Train and measure other routers too (extra `train`; minutes).")
    ] = True,
) -> None:
    """Measure accuracy and calibration on MMLU, natural queries, languages and dialogues, with baselines."""
    from evaluation.routing.benchmark import evaluate_routing

    octopus, plain = (
        assembly.routing.encoder_octopus(assembly.spec.entry)
        for assembly in (_assembled(graph, artifact), _assembled(graph, zero_shot=True))
    )
    with progress("Evaluating", total=1.0) as advance:
        report = evaluate_routing(
            octopus, plain, _folder(data), limit=limit, baselines=baselines, advance=advance
        )
    _show(report, output)


@cli.command()
def languages(data: Data = None, artifact: Artifact = None, output: Output = None) -> None:
    """Measure routing of exam questions in other languages, with and without the extra `languages`."""
    from app.settings import Settings
    from evaluation.routing.side_by_side import evaluate_languages
    from graphs.assembly import assemble, find_spec

    spec, settings = find_spec("mmlu"), Settings.read()
    octopuses = {
        name: assemble(spec, using, artifact=artifact).routing.encoder_octopus(spec.entry)
        for name, using in (
            ("without the extra", settings.model_copy(update={"languages": False})),
            ("as installed", settings),
        )
    }
    with progress("Evaluating", total=1.0) as advance:
        report = evaluate_languages(octopuses, _folder(data), advance=advance)
    _show(report, output)


@cli.command()
def conversations(data: Data = None, output: Output = None) -> None:
    """Measure follow-ups and changes of subject: our own dialogues, and those and people below --data."""
    from app.commands.answers import people_report
    from app.settings import Settings
    from evaluation.routing.conversations import dialogues_in, evaluate_conversations, sealed_dialogues
    from graphs.assembly import assemble
    from training.rows.dialogues import task_graph_spec

    mmlu = _assembled("mmlu")
    octopus = mmlu.routing.encoder_octopus(mmlu.spec.entry)
    sets = {"our own, sealed": (octopus, sealed_dialogues())}
    if data is not None:
        sets["CAsT, 17 subjects"] = (octopus, dialogues_in(_folder(data), "cast_mmlu"))
        for title, name in (("SGD, 21 services", "sgd"), ("MTRAG, 4 workers", "mtrag")):
            spec = task_graph_spec(data / "dialogue" / f"{name}_workers.json")
            routing = assemble(spec, Settings.read()).routing
            sets[title] = (routing.encoder_octopus(spec.entry), dialogues_in(data, name))
    with progress("Evaluating", total=1.0) as advance:
        report = evaluate_conversations(sets, advance)
    if data is not None:
        people = people_report([data / "people" / "conversations.jsonl"], "mmlu")
        report = report.beside(people)
    _show(report, output)


@cli.command()
def tools(data: Data = None, output: Output = None) -> None:
    """Measure zero-shot choice of functions, and whether calls are lost, on rows of the BFCL."""
    from agents.octopus.embedding import Encoder
    from evaluation.routing.tool_choice import evaluate_tools
    from evaluation.tool_calls import evaluate_calls, rows_in

    chosen = evaluate_tools(_folder(data), Encoder().embed)
    _show(chosen.beside(evaluate_calls(rows_in(_folder(data)))), output)


@cli.command()
def people(
    data: Data = None,
    rows: Annotated[
        list[Path] | None,
        typer.Option(help='Conversations {"id", "turns", "expect"[, "kind"]}; else those of --data.'),
    ] = None,
    graph: Graph = "mmlu",
    output: Output = None,
) -> None:
    """Ask short conversations of the server, over HTTP, with a stub model, and match its last answers."""
    from app.commands.answers import people_report

    _show(people_report(rows or [_folder(data) / "people" / "conversations.jsonl"], graph), output)


@cli.command()
def planning(graph: Graph, data: Data = None, artifact: Artifact = None, output: Output = None) -> None:
    """Score planned paths on a task graph: Node-F1, Link-F1, exact paths, made-up nodes and links, speed."""
    from evaluation.planning import evaluate_planning

    planner, plain = _assembled(graph, artifact).planner, _assembled(graph, zero_shot=True).planner
    with progress("Evaluating", total=1.0) as advance:
        report = evaluate_planning(planner, plain, _folder(data), advance=advance)
    _show(report, output)


@cli.command()
def speed(
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each query is timed.")] = 3,
    output: Output = None,
) -> None:
    """Time a decision beside the bare encoder, and with 10,000 neighbours beside 17."""
    from evaluation.speed import evaluate_speed

    assembly = _assembled(graph, artifact)
    _show(evaluate_speed(assembly.routing.encoder_octopus(assembly.spec.entry), rounds=rounds), output)


@cli.command()
def causal(
    artifact: Annotated[Path, typer.Option(help="Folder of a causal Octopus.")],
    graph: Graph = "subjects",
    encoder: Annotated[
        Path | None, typer.Option(help="Folder of an encoder artifact for the same graph, to compare.")
    ] = None,
    rows: Annotated[
        list[Path] | None, typer.Option(help='Held-out rows {"query", "node"[, "rewritten"]}.')
    ] = None,
    data: Data = None,
    seed: Annotated[int, typer.Option(help="Seed of the made-up rows, as in training.")] = 0,
    output: Output = None,
) -> None:
    """Compare a causal Octopus with the encoder: held-out rows (made up, for `subjects`), real questions."""
    from evaluation.routing.side_by_side import evaluate_causal
    from training.rows.labelled_rows import read_router_rows
    from training.rows.template_rows import template_rows

    assemblies = {
        "causal": _assembled(graph, artifact),
        "encoder, zero-shot": _assembled(graph, zero_shot=True),
    }
    if encoder is not None:
        assemblies["encoder, trained"] = _assembled(graph, encoder)
    spec = assemblies["causal"].spec
    neighbours = spec.nodes[spec.entry].neighbours
    held_out = read_router_rows(rows, neighbours) if rows else template_rows(400, seed=seed, held_out=True)
    with progress("Evaluating", total=1.0) as advance:
        octopuses = {name: assembly.routing.octopus(spec.entry) for name, assembly in assemblies.items()}
        report = evaluate_causal(octopuses, held_out, data, advance)
    _show(report, output)


@cli.command()
def causal_speed(
    rounds: Annotated[int, typer.Option(min=1, help="How often each pair is timed.")] = 3,
    output: Output = None,
) -> None:
    """Time what a causal Octopus saves, on a random model of 65 M parameters (extra `train`; minutes)."""
    with needs_training_packages():
        from evaluation.labs.causal_speed import evaluate_causal_speed
    _show(evaluate_causal_speed(rounds=rounds), output)


@cli.command()
def causal_losses(
    artifact: Annotated[Path, typer.Option(help="Folder that `train functional-tokens --tiny` wrote.")],
    seeds: Annotated[int, typer.Option(min=1, help="Adapters of each variant.")] = 3,
    output: Output = None,
) -> None:
    """Compare class weights, z-loss and load-balance loss on skewed rows (extra `train`; minutes)."""

    with needs_training_packages():
        from evaluation.labs.causal_losses import evaluate_causal_losses
    with progress("Training", total=1.0) as advance:
        report = evaluate_causal_losses(artifact, seeds=seeds, advance=advance)
    _show(report, output)


@cli.command()
def persistence(
    turns: Annotated[int, typer.Option(min=2, help="Length of the conversation.")] = 200,
    shorter: Annotated[
        int | None, typer.Option(min=1, help="Turns of the run that growth is measured against; half.")
    ] = None,
    alone: Annotated[
        bool, typer.Option(help="Only RedisSaver and SqliteSaver, which keep our conversations.")
    ] = False,
    plain: Annotated[
        bool, typer.Option(help="Messages in the channel of MessagesState, as in most other graphs.")
    ] = False,
    output: Output = None,
) -> None:
    """Measure bytes, commands and CPU of a conversation on RedisSaver and the other savers installed."""
    from app.persistence import RedisSaver
    from evaluation.labs.persistence import Contender
    from evaluation.labs.persistence_report import ECOSYSTEM, SQLITE, evaluate_persistence

    contenders = [Contender("RedisSaver", RedisSaver.from_url), *([SQLITE] if alone else ECOSYSTEM)]
    with progress("Conversing", total=len(contenders)) as advance:
        report = evaluate_persistence(
            contenders, turns=turns, shorter=shorter or turns // 2, plain=plain, advance=advance
        )
    _show(report, output)


@cli.command()
def reflection(
    model: Annotated[
        Path, typer.Option(help="Folder that `octopus train arithmetic` wrote (extra `train`).")
    ],
    problems: Annotated[int, typer.Option(min=10, help="Held-out problems.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of problems, sampling and intervals.")] = 0,
    output: Output = None,
) -> None:
    """Compare reflection with best-of-n at equal token budgets: a small real model, an exact verifier."""
    from evaluation.labs.reflection import evaluate_reflection

    with needs_training_packages():
        from evaluation.labs.arithmetic_model import ArithmeticModel
    with progress("Evaluating", total=1.0) as advance:
        asked = ArithmeticModel(model, seed)
        report = evaluate_reflection(asked, seed=seed, problems=problems, advance=advance)
    _show(report, output)


@cli.command()
def answers(
    data: Data = None,
    graph: Graph = "mmlu",
    recorded: Recorded = None,
    selector: Annotated[
        str | None,
        typer.Option(
            help="Folder of `octopus train selector`, or mmlu_pro, which ships; else cross-validation."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(help="How a worker chooses: letter, or likelihood (local models).")
    ] = "letter",
    shots: Annotated[int, typer.Option(min=0, max=5, help="Solved examples in a prompt.")] = 5,
    limit: Annotated[int | None, typer.Option(min=1, help="Number of random questions.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="File of replies; a run that was killed resumes from it.")
    ] = None,
    picks: Annotated[
        Path | None, typer.Option(help="File for the model that was picked for each recorded question.")
    ] = None,
    panel: Annotated[
        int, typer.Option(min=1, help="Models asked for a question, when cross-validating.")
    ] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the folds and of --limit.")] = 0,
    output: Output = None,
) -> None:
    """Score MMLU over a graph, or recorded answers of real models: best single, oracle, regret, cost."""
    from app.commands.answers import graph_report, recorded_report

    if recorded:
        report = recorded_report(recorded, selector, picks=picks, panel=panel, seed=seed)
    else:
        assembly = _assembled(graph)
        report = graph_report(assembly, _folder(data), by=by, shots=shots, limit=limit, log=log, seed=seed)
    _show(report, output)


def _assembled(graph: str, artifact: Path | None = None, *, zero_shot: bool = False) -> Assembly:
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    return assemble(find_spec(graph), Settings.read(), artifact=artifact, zero_shot=zero_shot)


def _show(report: Report, output: Path | None) -> None:
    typer.echo(report.markdown)
    if output is not None:
        report.write(output)


def _folder(data: Path | None) -> Path:
    from agents.errors import InputError

    if data is None or not data.is_dir():
        raise InputError(
            f"{str(data) if data else 'no folder'!r} is not a folder of benchmark data.",
            hint="Give --data DIR or set OCTOPUS_DATA; the README says where the data is to be had.",
        )
    return data
