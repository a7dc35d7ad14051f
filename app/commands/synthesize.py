"""Run `octopus train synthesize`: let a chat model write rows for the router."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Graph, Master, find_master

if TYPE_CHECKING:
    from graphs.assembly import Assembly
    from training.rows.synthesis import Chat


def synthesize(
    out: Annotated[Path, typer.Option(help="Folder of the rows; a run that was killed there continues.")],
    graph: Graph = "mmlu",
    model: Annotated[str | None, typer.Option(help="Model that writes; by default OCTOPUS_MODEL.")] = None,
    master: Master = None,
    per_worker: Annotated[
        int, typer.Option(min=1, help="Rows for each worker, and for queries that no worker fits.")
    ] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="Upper limit of batches for a worker.")] = 12,
    batch: Annotated[int, typer.Option(min=1, max=50, help="Queries in a batch.")] = 10,
    language: Annotated[
        list[str] | None, typer.Option(help="Language; repeat to alternate by round.")
    ] = None,
    hottest: Annotated[float, typer.Option(min=0.0, help="Temperature of the last round.")] = 1.1,
    round_trip: Annotated[
        int, typer.Option(min=0, help="The worker must be among this many best of the router; 0 skips this.")
    ] = 3,
    evaluation: Annotated[
        list[Path] | None, typer.Option(help="Rows with query, question or prompt that must not be made.")
    ] = None,
    price: Annotated[
        tuple[float, float], typer.Option(help="Dollars for a million tokens, read and written.")
    ] = (0.0, 0.0),
    seed: Annotated[int, typer.Option(help="Seed for examples, styles and sampling.")] = 0,
) -> None:
    """Make (query, node, rewritten) rows from the workers' docstrings, and rows that no worker fits."""
    import asyncio

    from agents.errors import InputError
    from agents.octopus.conversation.human_turns import clean_turns
    from app.commands.options import progress
    from app.settings import Settings
    from graphs.assembly import assemble
    from training.rows.filters import Leaks, evaluation_texts
    from training.rows.synthesis import SynthesisSettings
    from training.rows.synthesis import synthesize as make

    (spec, name), environment = find_master(graph, master), Settings.read()
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
    assembly = assemble(spec, environment)
    octopus = assembly.routing.octopus(name)
    with progress("Writing", total=per_worker * (len(workers) + 1)) as advance:
        made = asyncio.run(
            make(
                workers,
                _chat(assembly, reference),
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


def _chat(assembly: Assembly, reference: str) -> Chat:
    """Connect to the model, and translate its provider's errors."""
    from agents.errors import InputError, ModelUnavailableError, OctopusGraphError
    from agents.workers.kinds import connect
    from agents.workers.models.failures import fault_of
    from agents.workers.models.language_model import LanguageModel
    from training.rows.synthesis import ChatReply
    from training.rows.synthesis_prompts import Messages

    worker = connect(reference, assembly.connection("synthesize"))
    if not isinstance(worker, LanguageModel):
        raise InputError(
            f"{reference!r} is not a chat model.", hint="Write openai:NAME@URL, hf:… or provider:…."
        )

    async def chat(messages: Messages, temperature: float, seed: int) -> ChatReply:
        try:
            reply = await worker.chat.ainvoke(messages, temperature=temperature, seed=seed)
        except OctopusGraphError:
            raise
        except Exception as error:  # each provider raises its own kinds
            found = fault_of(error)
            found.log("", reference)
            raise ModelUnavailableError(
                f"{reference!r} {found.why}.",
                hint="When the model is back, repeat the command; it continues where it was.",
                retryable=True,
            ) from error
        usage = reply.usage_metadata
        read, written = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        return ChatReply(str(reply.text), read, written)

    return chat
