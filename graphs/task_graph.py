"""Turn a task graph (JSON: nodes and links) into a graph spec (YAML)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import SpecError
from graphs.spec_file import parse_spec


class _TaskNode(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    desc: str = ""


class _TaskLink(BaseModel):
    model_config = ConfigDict(extra="ignore")
    source: str
    target: str


class _TaskGraph(BaseModel):
    model_config = ConfigDict(extra="ignore")
    nodes: list[_TaskNode]
    links: list[_TaskLink] = []


def import_task_graph(file: Path, output: Path) -> int:
    """Write the spec of the task graph in `file` to `output`, and return how many workers it has.

    Every node becomes a worker of the same name, every link an edge between workers; the entry master
    `octopus` sees all workers.

    Raises:
        SpecError: the file cannot be read, or its graph is wrong; names the offender.
    """
    try:
        graph = _TaskGraph.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise SpecError(f"{file}: {place + ': ' if place else ''}{fault['msg']}.") from error
    text = yaml.safe_dump(_spec(graph, file), sort_keys=False, allow_unicode=True, width=110)
    parse_spec(text, source=str(file), environment={})
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    return len(graph.nodes)


def _spec(graph: _TaskGraph, file: Path) -> dict[str, Any]:
    neighbours: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.id in neighbours:
            raise SpecError(f"{file}: the node {node.id!r} stands twice.", hint="Ids must be unique.")
        neighbours[node.id] = []
    for link in graph.links:
        for end in (link.source, link.target):
            if end not in neighbours:
                raise SpecError(f"{file}: the link {link.source!r} → {link.target!r} names unknown {end!r}.")
        if link.target not in neighbours[link.source]:
            neighbours[link.source].append(link.target)
    master = _free_name("octopus", neighbours)
    workers = {
        node.id: {"description": (node.desc or node.id).replace("${", "$${")}
        | ({"neighbours": neighbours[node.id]} if neighbours[node.id] else {})
        for node in graph.nodes
    }
    name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in file.stem).lstrip(".-") or "tasks"
    return {
        "name": name,
        "entry": master,
        "masters": {master: {"neighbours": list(neighbours)}},
        "workers": workers,
    }


def _free_name(wanted: str, taken: dict[str, Any]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
