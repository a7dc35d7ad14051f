"""Define the graph spec, and find what is wrong with its structure; spec_file.py reads one."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from agents.errors import SpecError
from agents.types import Edge, FunctionalToken, NodeName
from graphs.node_spec import MasterSpec, NodeSpec, OctopusSpec, SpecModel, WorkerSpec

# LangGraph keeps these for its own names: "|" and ":" separate checkpoint namespaces.
_FORBIDDEN = frozenset("|:")
RESERVED_NAMES = frozenset({"guard", "answer", "__start__", "__end__", "__input__", "__interrupt__"})

KeyPath = tuple[str, ...]


class UnsoundError(ValueError):
    """Report a structural fault and the key path of its offender."""

    def __init__(self, problem: str, path: KeyPath) -> None:
        super().__init__(problem)
        self.path = path


class GraphSpec(SpecModel):
    """Describe G = (N, E): masters and workers by name, and the master where a run enters.

    Attributes:
        octopus: for every node that does not name its own.
        source: where the spec was read from, for messages and relative paths.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    description: str = ""
    entry: NodeName
    masters: dict[NodeName, MasterSpec]
    workers: dict[NodeName, WorkerSpec]
    octopus: OctopusSpec = OctopusSpec()
    source: str = "<spec>"

    @model_validator(mode="before")
    @classmethod
    def _share_octopus(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "octopus" not in values:
            return values
        shared = {"octopus": values["octopus"]}
        groups = {
            kind: {name: shared | node if isinstance(node, dict) else node for name, node in group.items()}
            for kind in ("masters", "workers")
            if isinstance(group := values.get(kind), dict)
        }
        return values | groups

    @property
    def nodes(self) -> dict[NodeName, NodeSpec]:
        """Return masters, then workers, by name."""
        return {**self.masters, **self.workers}

    @property
    def edges(self) -> Iterator[tuple[NodeName, FunctionalToken, NodeName]]:
        """Yield all (node, functional token, neighbour)."""
        for name, node in self.nodes.items():
            for neighbour, token in node.neighbours.items():
                yield name, token, neighbour

    @property
    def folder(self) -> Path:
        """Return where the spec's relative paths begin."""
        return Path(self.source).parent

    def edges_at(self, name: NodeName) -> dict[NodeName, Edge]:
        """Return the edges of a node, by neighbour, in the order of the spec."""
        nodes = self.nodes  # made anew at each look, which would cost the square of a large graph
        return {
            other: Edge(
                other,
                token,
                self.template(other),
                nodes[other].description,
                nodes[other].examples,
                self.modalities(other),
            )
            for other, token in nodes[name].neighbours.items()
        }

    def parent(self, name: NodeName) -> NodeName | None:
        """Return the first neighbour of a node that is a master with an edge back to it."""
        around = (n for n in self.nodes[name].neighbours if n in self.masters)
        return next((n for n in around if name in self.masters[n].neighbours), None)

    def modalities(self, name: NodeName, seen: frozenset[NodeName] = frozenset()) -> frozenset[str]:
        """Return what a node reads besides text: a worker by itself, a master by way of its neighbours."""
        if name in self.workers or name in seen:
            return frozenset(self.workers[name].modalities) if name in self.workers else frozenset()
        return frozenset().union(*(self.modalities(n, seen | {name}) for n in self.nodes[name].neighbours))

    def template(self, name: NodeName) -> str:
        """Return the form of a node's query: a worker's own, for a master the query itself."""
        return self.workers[name].template if name in self.workers else "{query}"

    def with_models(self, models: Mapping[str, str]) -> GraphSpec:
        """Return the spec with other models for workers: by name, or as GRAPH/WORKER.

        Raises:
            SpecError: one of them is a graph, whose workers have the models.
        """
        workers = dict(self.workers)
        for name, worker in self.workers.items():
            model = models.get(f"{self.name}/{name}") or models.get(name)
            if model and worker.graph is not None:
                raise SpecError(
                    f"{self.source}: worker {name!r} is a graph and has no model.", hint="Name its workers."
                )
            if model:
                workers[name] = worker.model_copy(update={"model": model})
        return self.model_copy(update={"workers": workers})

    def place(self, name: NodeName) -> KeyPath:
        """Return the key path of a node."""
        return ("masters" if name in self.masters else "workers", name)

    @model_validator(mode="after")
    def _is_sound(self) -> GraphSpec:
        for path, problem in _problems(self):
            raise UnsoundError(problem, path)
        return self


def spec_hash(spec: GraphSpec) -> str:
    """Return a hash of what routing depends on: every node's text, examples and edges."""
    parts = [
        (name, node.description, node.examples, sorted(node.neighbours.items()))
        for name, node in sorted(spec.nodes.items())
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def differences(spec: GraphSpec, other: GraphSpec) -> list[str]:
    """Say how a graph differs from another in what routing depends on; [] where little is common."""
    mine, theirs = spec.nodes, other.nodes
    both = [name for name in mine if name in theirs]
    if len(both) * 2 < len(mine.keys() | theirs.keys()):
        return []
    texts = [
        name
        for name in both
        if (mine[name].description, mine[name].examples) != (theirs[name].description, theirs[name].examples)
    ]
    edges = [name for name in both if mine[name].neighbours != theirs[name].neighbours]
    added, gone = (
        [name for name in mine if name not in theirs],
        [name for name in theirs if name not in mine],
    )
    told = (("other texts of", texts), ("the new", added), ("without", gone), ("other edges at", edges))
    return [f"{what} {', '.join(names)}" for what, names in told if names]


def _problems(spec: GraphSpec) -> Iterator[tuple[KeyPath, str]]:
    """Yield structural faults, each a key path and a sentence that names the offender."""
    if not spec.masters or not spec.workers:
        yield (), "the graph is empty: it needs at least one master and one worker"
    for name in spec.masters.keys() & spec.workers.keys():
        yield ("workers", name), f"{name!r} is both a master and a worker"
    nodes = spec.nodes
    for name in nodes:
        if not name or not name.isprintable() or _FORBIDDEN & set(name) or name in RESERVED_NAMES:
            text = f"{name!r} cannot name a node: empty, reserved, not printable, or with one of '|:'"
            yield spec.place(name), text
    if spec.entry not in spec.masters:
        yield ("entry",), f"entry {spec.entry!r} is not a master; masters: {sorted(spec.masters)}"
    for name, _, neighbour in spec.edges:
        if neighbour not in nodes:
            text = f"node {name!r} has an unknown neighbour {neighbour!r}; nodes: {_some(nodes)}"
            yield (*spec.place(name), "neighbours"), text
    for name, master in spec.masters.items():
        if not master.neighbours:
            yield spec.place(name), f"master {name!r} has no neighbours"
    for name, node in nodes.items():
        if node.generalist is not None and node.generalist not in node.neighbours:
            text = f"generalist {node.generalist!r} of {name!r} is not one of its neighbours"
            yield (*spec.place(name), "generalist"), text
    for name, worker in spec.workers.items():
        if worker.stronger is not None and worker.stronger not in worker.neighbours:
            text = f"stronger {worker.stronger!r} of {name!r} is not one of its neighbours"
            yield ("workers", name, "stronger"), text
    yield from _unreachable(spec)


def _unreachable(spec: GraphSpec) -> Iterator[tuple[KeyPath, str]]:
    nodes = spec.nodes
    targets = {neighbour for name, _, neighbour in spec.edges if neighbour != name}
    for name in nodes:
        if name not in targets and name != spec.entry:
            text = f"node {name!r} has no incoming edge; list it among a master's neighbours or delete it"
            yield spec.place(name), text
    seen, queue = {spec.entry}, deque([spec.entry])
    while queue:
        for neighbour in nodes[queue.popleft()].neighbours:
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
    for name in nodes:
        if name not in seen:
            kind = "worker" if name in spec.workers else "master"
            yield spec.place(name), f"{kind} {name!r} cannot be reached from the entry {spec.entry!r}"


def _some(names: Mapping[NodeName, object], most: int = 20) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (f", … ({len(listed)} in all)" if len(listed) > most else "")
