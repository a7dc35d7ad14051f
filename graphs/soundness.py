"""Find what is wrong with the structure of a spec: names, edges, and what cannot be reached."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from agents.types import NodeName

if TYPE_CHECKING:
    from graphs.spec import GraphSpec

# LangGraph keeps these for its own names: "|" and ":" separate checkpoint namespaces.
_FORBIDDEN = frozenset("|:")
RESERVED_NAMES = frozenset({"guard", "answer", "__start__", "__end__", "__input__", "__interrupt__"})

KeyPath = tuple[str, ...]


class UnsoundError(ValueError):
    """Report a structural fault and the key path of its offender."""

    def __init__(self, problem: str, path: KeyPath) -> None:
        super().__init__(problem)
        self.path = path


def problems(spec: GraphSpec) -> Iterator[tuple[KeyPath, str]]:
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
