"""Decide or plan for many queries, and answer none: `octopus route` and `octopus plan`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Artifact, Graph, output_file, progress

if TYPE_CHECKING:
    from agents.octopus.conversation.human_turns import Turn
    from agents.octopus.planning.planner import Planner
    from agents.types import Decision, Octopus


_AT_ONCE = 16  # requests to a server
_CHUNK = 256

Output = Annotated[Path, typer.Option("--output", help="Where the rows go; - is standard output.")]
Row = tuple[str, dict[str, Any]]
"""Where a row stands (file:line, for messages), and its fields."""


def route(
    source: Annotated[
        Path,
        typer.Option(
            "--input",
            help='Rows {"query": …}, {"turns": […]} or {"messages": […]}, .jsonl or .jsonl.gz; - reads them; '
            '"node" is who answered before.',
        ),
    ],
    target: Output = Path("-"),
    graph: Graph = "mmlu",
    artifact: Artifact = None,
) -> None:
    """Route every row: adds node, token, probability, rewritten, reason and choices."""
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    spec = find_spec(graph)
    octopus = assemble(spec, Settings.read(), artifact=artifact).routing.router(spec.entry)
    _each_row(source, target, "Routing", lambda rows: _routes(octopus, rows))


def _routes(octopus: Octopus, rows: list[Row]) -> list[dict[str, Any]]:
    from agents.errors import InputError
    from training.rows.dialogues import said_in

    readable, refused = {}, {}
    for index, (place, row) in enumerate(rows):
        try:
            readable[index] = said_in(row, place)
        except InputError as error:
            refused[index] = _refusal(str(error))
    found = dict(zip(readable, map(_fields, _decided(octopus, list(readable.values()))), strict=True))
    return [found.get(index) or refused[index] for index in range(len(rows))]


def _decided(octopus: Octopus, conversations: list[list[Turn]]) -> list[Decision]:
    """Decide for each conversation: together if the model is in this process, else a few requests at once."""
    from agents.octopus.encoder.octopus import LocalOctopus

    if isinstance(octopus, LocalOctopus):
        return octopus.decide_all(conversations)
    from agents.octopus.conversation.human_turns import messages_of

    async def decide() -> list[Decision]:
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(turns: list[Turn]) -> Decision:
            async with places:
                return await octopus.route(messages_of(turns))

        return await asyncio.gather(*map(one, conversations))

    return asyncio.run(decide())


def _refusal(reason: str) -> dict[str, Any]:
    """Return an abstention for a row that cannot be routed, so that the rows after it are not lost."""
    return {"node": None, "token": None, "probability": 0.0, "rewritten": "", "reason": reason, "choices": []}


def _fields(route: Decision) -> dict[str, Any]:
    from agents.octopus.conversation.human_turns import carry_over

    return {
        "node": route.node,
        "token": route.token,
        "probability": route.probability,
        "calibrated": route.calibrated,
        "rewritten": carry_over(route.rewritten, route.refers_to),
        "reason": route.reason,
        "choices": [{"node": c.node, "token": c.token, "probability": c.probability} for c in route.choices],
    }


def plan(
    source: Annotated[
        Path, typer.Option("--input", help='Rows {"query": …}, .jsonl or .jsonl.gz; - reads them.')
    ],
    target: Output = Path("-"),
    graph: Graph = "mmlu",
    artifact: Artifact = None,
) -> None:
    """Plan every row: adds path and probability; the path is empty, with a reason, where there is none."""
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    planner = assemble(find_spec(graph), Settings.read(), artifact=artifact).planner
    _each_row(source, target, "Planning", lambda rows: _plans(planner, rows))


def _plans(planner: Planner, rows: list[Row]) -> list[dict[str, Any]]:
    from agents.errors import InputError
    from agents.octopus.conversation.human_turns import clean_query

    readable, found = {}, {}
    for index, (place, row) in enumerate(rows):
        try:
            readable[index] = clean_query(_query(place, row))
        except InputError as error:
            found[index] = {"path": [], "probability": 0.0, "reason": str(error)}
    for index, request in zip(readable, planner.read(list(readable.values())), strict=True):
        planned = planner.plan(request)
        found[index] = {"path": list(planned.path), "probability": planned.probability}
    return [found[index] for index in range(len(rows))]


def _query(place: str, row: dict[str, Any]) -> str:
    from agents.errors import OctopusGraphError

    query = row.get("query")
    if not isinstance(query, str):
        raise OctopusGraphError(f'{place}: a row needs "query", a text.')
    return query


def _each_row(
    source: Path, target: Path, title: str, answer: Callable[[list[Row]], list[dict[str, Any]]]
) -> None:
    """Write every row of `source` to `target`, with what `answer` adds to it, chunk by chunk."""
    from training.rows.labelled_rows import read_files

    rows = list(read_files([source]))
    with output_file(target) as file, progress(title, total=len(rows)) as advance:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            for (_, row), found in zip(chunk, answer(chunk), strict=True):
                # UTF-8 cannot hold a lone surrogate, which a row's own fields may: it stays escaped.
                text = json.dumps({**row, **found}, ensure_ascii=False)
                file.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
            advance(len(chunk))
