"""Plan paths for many requests, and execute none: `octopus plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Artifact, Graph
from app.commands.rows import Row, each_row

if TYPE_CHECKING:
    from agents.octopus.planning.planner import Planner


def plan(
    source: Annotated[Path, typer.Option("--input", help='Rows {"query": …}, .jsonl or .jsonl.gz.')],
    target: Annotated[Path, typer.Option("--output", help="Where the rows go; - is standard output.")],
    graph: Graph = "mmlu",
    artifact: Artifact = None,
) -> None:
    """Plan every row: adds path and probability; the path is empty, with a reason, where there is none."""
    from app.settings import Settings
    from graphs.assembly.graph import assemble, find_spec

    planner = assemble(find_spec(graph), Settings.read(), artifact=artifact).planner
    each_row(source, target, "Planning", lambda rows: _plans(planner, rows))


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
        plan = planner.plan(request)
        found[index] = {"path": list(plan.path), "probability": plan.probability}
    return [found[index] for index in range(len(rows))]


def _query(place: str, row: dict[str, Any]) -> str:
    from agents.errors import OctopusGraphError

    query = row.get("query")
    if not isinstance(query, str):
        raise OctopusGraphError(f'{place}: a row needs "query", a text.')
    return query
