"""Run `octopus eval answers`, `octopus eval people` and `octopus train selector`: who answers best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import needs_server_packages, progress

if TYPE_CHECKING:
    from agents.octopus.embedding import Vectors
    from agents.types import NodeName
    from evaluation.multiple_choice import Answerer
    from evaluation.report import Report
    from graphs.assembly import Assembly

Recorded = Annotated[
    list[Path] | None,
    typer.Option(help="Rows with recorded answers of models, .jsonl or .jsonl.gz, as MMLU-Pro has them."),
]


def train_selector(
    rows: Annotated[list[Path], typer.Option(help="Recorded answers; may be repeated.")],
    out: Annotated[Path, typer.Option(help="Folder of the new selector.")],
    panel: Annotated[int, typer.Option(min=1, help="How many models may be asked for one question.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
) -> None:
    """Learn from recorded answers which model to ask, and whose answer to take of several."""
    from training.router.recorded import read_recorded
    from training.router.selector import SelectorSettings
    from training.router.selector import train_selector as train

    data = read_recorded(rows)
    settings = SelectorSettings(panel=panel, seed=seed)
    inputs = _embedded(data.texts)
    with progress("Training", total=settings.folds + 1) as advance:
        metrics = train(data, inputs, out, settings, advance)
    figures = ", ".join(f"{name} {value:g}" for name, value in metrics.items())
    typer.echo(f"{out}: {len(data.texts)} rows; out of fold: {figures}")


def recorded_report(
    recorded: list[Path], selector: str | None, *, picks: Path | None, panel: int, seed: int
) -> Report:
    """Compare on recorded answers, with a trained selector or by cross-validation."""
    from evaluation.recorded import picked_by, report_recorded, unseen, write_picks
    from training.router.recorded import read_recorded
    from training.router.selector import SelectorSettings, cross_validated, panel_of
    from training.router.selector_model import find_selector

    if selector is not None:
        trained, manifest = find_selector(selector)
        everything = read_recorded(recorded, manifest.models)
        data = unseen(everything, trained)
        left_out = len(everything.texts) - len(data.texts)
        how, asked = f"A selector trained on {manifest.training.get('rows')} other rows", manifest.panel
        how += f"; {left_out} rows that it was trained on are left out" if left_out else ""
        picked = picked_by(trained, manifest, data, _embedded(data.texts))
    else:
        data, left_out = read_recorded(recorded), 0
        settings = SelectorSettings(panel=panel, seed=seed)
        how, asked = f"Cross-validated on these rows, {settings.folds} folds", panel_of(data, panel)
        inputs = _embedded(data.texts)
        with progress("Cross-validating", total=settings.folds) as advance:
            picked = cross_validated(data, inputs, settings, advance)
    if picks is not None:
        write_picks(picks, data, picked)
    return report_recorded(data, picked, asked, how, left_out)


def _embedded(texts: list[str]) -> Vectors:
    import numpy as np

    from agents.octopus.embedding import Encoder

    encoder, parts = Encoder(), []
    with progress("Embedding", total=len(texts)) as advance:
        for start in range(0, len(texts), 256):
            parts.append(encoder.embed(texts[start : start + 256]))
            advance(len(parts[-1]))
    return np.concatenate(parts)


def graph_report(
    assembly: Assembly, data: Path, *, by: str, shots: int, limit: int | None, log: Path | None, seed: int
) -> Report:
    """Ask every worker of a graph MMLU's questions; the graph is closed at the end."""
    import asyncio

    from evaluation.answers import Exam, report_answers
    from evaluation.multiple_choice import AnswerLog, read_questions, read_shots

    spec = assembly.spec
    questions = read_questions(data, limit=limit, seed=seed)
    try:
        octopuses = {name: assembly.routing.octopus(name) for name in spec.masters}
        workers = _answerers(assembly, by)
        exam = Exam(spec.entry, octopuses, workers, read_shots(data, shots), AnswerLog(log))
        with progress("Answering", total=len(questions)) as advance:
            answers = asyncio.run(exam.answer_all(questions, advance=advance))
    finally:
        assembly.close()
    return report_answers(answers, questions, shots)


def people_report(files: Sequence[Path], graph: str) -> Report:
    """Ask the server the conversations in `files`, with a stub model behind it."""
    from tempfile import TemporaryDirectory

    from evaluation.people import evaluate_people, read_people
    from graphs.assembly import find_spec

    with needs_server_packages():
        from app.server.application import create_app
        from app.server.settings import ServerSettings
    rows, model = read_people(files), find_spec(graph).name
    with TemporaryDirectory() as home, progress("Asking", total=1.0) as advance:

        def serve(reference: str) -> Any:
            given = {"OCTOPUS_HOME": home, "OCTOPUS_MODEL": reference}
            return create_app(ServerSettings.read(given, graphs=(graph,)))

        return evaluate_people(rows, serve, model=model, advance=advance)


def _answerers(assembly: Assembly, by: str) -> dict[NodeName, Answerer]:
    """Let each worker choose; those of the same model share what they answered."""
    from agents.errors import InputError, SpecError
    from agents.workers.kinds import parse_reference
    from agents.workers.models.clients import LocalReference
    from evaluation.multiple_choice import Answerer, by_letter, by_likelihood

    if by not in ("letter", "likelihood"):
        raise InputError(f"{by!r} is not a way to choose.", hint="Take letter or likelihood.")
    spec = assembly.spec
    found: dict[NodeName, Answerer] = {}
    built = assembly.workers if by == "letter" else {}
    for name, worker in spec.workers.items():
        price = (worker.price.input, worker.price.output) if worker.price else (0.0, 0.0)
        reference = worker.model or assembly.settings.model or ""
        if by == "letter":
            # Tools may answer too: without a model in common, each worker is its own.
            key = f"{name if worker.tools or not reference else ''}|{reference}|{worker.prompt}"
            found[name] = Answerer(key, by_letter(built[name]), price)
            continue
        parsed = parse_reference(reference) if reference else None
        if not isinstance(parsed, LocalReference):
            raise SpecError(
                f"{spec.source}: the model {reference!r} of worker {name!r} gives no log-likelihoods.",
                hint="Give it `model: hf:DIR`, or choose --by letter.",
            )
        local = parsed.beside(spec.folder)
        key = "|".join(filter(None, ("likelihood", local.name, local.adapter)))
        found[name] = Answerer(key, by_likelihood(assembly.models, local), price)
    return found
