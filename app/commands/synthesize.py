"""`octopus train synthesize`: rows for the router, written by a chat model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Graph

if TYPE_CHECKING:
    from graphs.assembly.graph import Wiring
    from training.specialist.synthesis import Chat


def synthesize(
    out: Annotated[Path, typer.Option(help="Folder of the rows; a killed run is gone on with.")],
    graph: Graph = "mmlu",
    model: Annotated[str | None, typer.Option(help="Who writes; by default OCTOPUS_MODEL.")] = None,
    master: Annotated[str | None, typer.Option(help="Whose neighbours; by default the entry.")] = None,
    per_worker: Annotated[int, typer.Option(min=1, help="Rows for each worker, and for none of them.")] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="Batches for a worker at most.")] = 12,
    batch: Annotated[int, typer.Option(min=1, max=50, help="Queries of a batch.")] = 10,
    language: Annotated[list[str] | None, typer.Option(help="In turns; may be repeated.")] = None,
    hottest: Annotated[float, typer.Option(min=0.0, help="Temperature of the last round.")] = 1.1,
    round_trip: Annotated[
        int, typer.Option(min=0, help="The worker must be among so many of the router's best; 0: not asked.")
    ] = 3,
    evaluation: Annotated[
        list[Path] | None, typer.Option(help="Rows with query, question or prompt that may not be made.")
    ] = None,
    price: Annotated[
        tuple[float, float], typer.Option(help="Dollars for a million tokens, read and written.")
    ] = (0.0, 0.0),
    seed: Annotated[int, typer.Option(help="Of examples, styles and sampling.")] = 0,
) -> None:
    """Make (query, node, rewritten) rows from the workers' docstrings, negative ones too."""
    import asyncio

    from agents.errors import InputError
    from agents.octopus.conversation.human_turns import clean_turns
    from agents.types import NodeName
    from app.commands.progress import progress
    from app.settings import Settings
    from graphs.assembly.graph import Wiring, find_spec
    from training.specialist.rows import Leaks, evaluation_texts
    from training.specialist.synthesis import SynthesisSettings
    from training.specialist.synthesis import synthesize as make

    spec, environment = find_spec(graph), Settings.read()
    name = NodeName(master) if master else spec.entry
    if name not in spec.nodes or not spec.nodes[name].neighbours:
        raise InputError(
            f"{name!r} is not a node with neighbours.", hint=f"Masters: {', '.join(spec.masters)}."
        )
    reference = model or environment.model
    if not reference:
        raise InputError("no chat model is given.", hint="--model openai:NAME@URL, or set OCTOPUS_MODEL.")
    settings = SynthesisSettings(
        per_worker=per_worker,
        rounds=rounds,
        batch=batch,
        languages=tuple(language or ("English",)),
        hottest=hottest,
        round_trip=round_trip,
        price=price,
        seed=seed,
    )
    neighbours = {node: spec.nodes[node] for node in spec.nodes[name].neighbours}
    workers = {str(node): (own.description or str(node), own.examples) for node, own in neighbours.items()}
    wiring = Wiring(spec, environment)
    octopus = wiring.octopus(name)
    with progress("Writing", total=per_worker * (len(workers) + 1)) as advance:
        made = asyncio.run(
            make(
                workers,
                _chat(wiring, reference),
                out,
                settings,
                round_trip=lambda queries: octopus.decide_all([clean_turns([query]) for query in queries]),
                leaks=Leaks(evaluation_texts(evaluation or [])),
                advance=advance,
            )
        )
    dropped = ", ".join(f"{reason} {count}" for reason, count in sorted(made.counts.items()) if count)
    typer.echo(f"{out / 'rows.jsonl'}: {len(made.rows)} rows; {dropped}")
    typer.echo(f"{made.calls} calls, {made.read} tokens read and {made.written} written")


def _chat(wiring: Wiring, reference: str) -> Chat:
    from agents.errors import InputError, ModelUnavailableError, OctopusGraphError
    from agents.types import NodeName
    from agents.workers.models.language_model import LanguageModel
    from training.specialist.synthesis import ChatReply
    from training.specialist.synthesis_prompts import Messages

    worker = wiring.models.connect(NodeName("synthesize"), reference, "")
    if not isinstance(worker, LanguageModel):
        raise InputError(
            f"{reference!r} is no chat model.", hint="Write openai:NAME@URL, hf:… or provider:…."
        )
    model = worker.chat

    async def chat(messages: Messages, temperature: float, seed: int) -> ChatReply:
        try:
            reply = await model.ainvoke(messages, temperature=temperature, seed=seed)
        except OctopusGraphError:
            raise
        except Exception as error:  # each provider has its own kinds
            if (why := worker.why(error)) is None:
                raise
            raise ModelUnavailableError(
                f"{reference!r} gave no answer: {why.splitlines()[0].rstrip('.')}.",
                hint="When the model answers, repeat the command: it goes on where it was.",
                retryable=True,
            ) from error
        usage = reply.usage_metadata
        read, written = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        return ChatReply(str(reply.text), read, written)

    return chat
