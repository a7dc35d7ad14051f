"""`octopus route`: decisions for many queries; nothing is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Artifact, Graph
from app.commands.rows import Row, each_row

if TYPE_CHECKING:
    from agents.types import Decision, Octopus

_AT_ONCE = 16  # requests to a server


def route(
    source: Annotated[
        Path, typer.Option("--input", help='Rows {"query": …} or {"turns": […]}, .jsonl or .jsonl.gz.')
    ],
    target: Annotated[Path, typer.Option("--output", help="Where the rows go; - is standard output.")],
    graph: Graph = "mmlu",
    artifact: Artifact = None,
) -> None:
    """Route every row: adds node, token, probability, rewritten, reason and choices."""
    from app.settings import Settings
    from graphs.assembly.graph import Wiring, find_spec

    spec = find_spec(graph)
    octopus = Wiring(spec, Settings.read(), artifact=artifact).router(spec.entry).octopus
    each_row(source, target, "Routing", lambda rows: _routes(octopus, rows))


def _routes(octopus: Octopus, rows: list[Row]) -> list[dict[str, Any]]:
    from agents.errors import InputError
    from agents.octopus.conversation.human_turns import clean_turns

    readable, refused = {}, {}
    for index, (place, row) in enumerate(rows):
        try:
            readable[index] = clean_turns(_turns(place, row))
        except InputError as error:
            refused[index] = _refusal(str(error))
    found = dict(zip(readable, map(_fields, _decided(octopus, list(readable.values()))), strict=True))
    return [found.get(index) or refused[index] for index in range(len(rows))]


def _decided(octopus: Octopus, conversations: list[list[str]]) -> list[Decision]:
    """A route for each conversation: together where the model is here, else a few requests at once."""
    from agents.octopus.encoder.octopus import LocalOctopus

    if isinstance(octopus, LocalOctopus):
        return octopus.decide_all(conversations)
    from langchain_core.messages import HumanMessage

    async def decide() -> list[Decision]:
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(turns: list[str]) -> Decision:
            async with places:
                return await octopus.route([HumanMessage(turn) for turn in turns])

        return await asyncio.gather(*map(one, conversations))

    return asyncio.run(decide())


def _turns(place: str, row: dict[str, Any]) -> list[str]:
    from agents.errors import OctopusGraphError

    turns = row.get("turns", [row.get("query")])
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise OctopusGraphError(f'{place}: a row needs "query", a text, or "turns", a list of texts.')
    return turns


def _refusal(reason: str) -> dict[str, Any]:
    """A row that cannot be routed abstains, so that the rows after it are not lost."""
    return {"node": None, "token": None, "probability": 0.0, "rewritten": "", "reason": reason, "choices": []}


def _fields(route: Decision) -> dict[str, Any]:
    return {
        "node": route.node,
        "token": route.token,
        "probability": route.probability,
        "calibrated": route.calibrated,
        "rewritten": route.rewritten,
        "reason": route.reason,
        "choices": [{"node": c.node, "token": c.token, "probability": c.probability} for c in route.choices],
    }
