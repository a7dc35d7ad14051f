"""Hold the graphs that are served: a model per graph, and one per worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from agents.errors import SpecError
from agents.types import NodeName, Worker
from agents.workers.kinds import connect
from app.runs.run import Compiled, Run
from app.server.api_keys import LOCAL, Caller, OwnedStore, owner_label
from app.server.errors import ApiError
from app.settings import Settings
from graphs.assembly import Assembly, assemble, find_spec
from graphs.spec import GraphSpec

Saver = BaseCheckpointSaver[Any]


@dataclass
class Model:
    """Hold what `model` of a request names: a graph, or one of its workers as `graph/worker`."""

    assembly: Assembly
    saver: Saver
    store: BaseStore
    worker: NodeName | None = None

    @property
    def id(self) -> str:
        """Return the name that clients use."""
        return f"{self.graph}/{self.worker}" if self.worker else self.graph

    @property
    def graph(self) -> str:
        """Return the name of the graph."""
        return self.assembly.spec.name

    @property
    def description(self) -> str:
        """Return the description of the graph or worker."""
        spec = self.assembly.spec
        return spec.workers[self.worker].description if self.worker else spec.description

    @property
    def reads(self) -> frozenset[str]:
        """Return what its workers read besides text."""
        spec = self.assembly.spec
        return spec.modalities(self.worker or spec.entry)

    def compiled(self, caller: Caller | None = None) -> Compiled:
        """Return the compiled graph; for a caller, with the caller's threads and lessons."""
        if caller is None:
            return self._nodes
        # The nodes are the same; only where they keep things is the caller's.
        own = OwnedStore(self.store, owner_label(caller))
        return self._nodes.copy({"checkpointer": self.saver, "store": own})

    @cached_property
    def bare(self) -> Worker | None:
        """Return the model alone, without prompt and tools, of the worker that is named or of the generalist.

        A graph without a generalist has the general model; None if there is no model.
        """
        spec = self.assembly.spec
        name = self.worker or spec.nodes[spec.entry].generalist
        own = spec.workers.get(name) if name else None
        reference = (own.model if own else None) or self.assembly.settings.model
        if not reference:
            return None
        return connect(reference, self.assembly.connection(self.id, window=own.window if own else None))

    def run(
        self, messages: Sequence[BaseMessage], caller: Caller, thread: str | None = None, **given: Any
    ) -> Run:
        """Return a run for `caller`, in the caller's thread of this name if there is one.

        Args:
            messages: the conversation, the question last.
            caller: who asks; the thread and what the run learns are the caller's.
            thread: the caller's name of the conversation; None remembers nothing.
            given: other fields of `Run`.
        """
        graph = self.compiled(None if thread is None else caller)
        return Run(graph, messages, model=self.id, thread=thread, owner=caller.prefix, **given)

    @cached_property
    def _nodes(self) -> Compiled:
        """Compile the graph, which keeps nothing, on first use."""
        graph = self.assembly.graph_to(self.worker) if self.worker else self.assembly.graph()
        return graph.compile(name=self.graph)


class Graphs:
    """Hold all models by id."""

    def __init__(self, assemblies: list[Assembly], saver: Saver, store: BaseStore) -> None:
        self.assemblies = assemblies
        self.models: dict[str, Model] = {}
        for assembly in assemblies:
            for worker in (None, *assembly.spec.workers):
                model = Model(assembly, saver, store, worker)
                self.models[model.id] = model

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    def get(self, model: str) -> Model:
        """Return the model with this id.

        Raises:
            ApiError: 404, there is none.
        """
        if found := self.models.get(model):
            return found
        raise ApiError(
            404, "There is no such model; GET /v1/models lists them.", code="model_not_found", param="model"
        )


@asynccontextmanager
async def open_graphs(
    names: tuple[str, ...], settings: Settings, saver: Saver, store: BaseStore
) -> AsyncIterator[Graphs]:
    """Build the graphs called `names`, ready to answer.

    Raises:
        SpecError: there is no such graph, its spec is wrong, or two have one name.
    """
    assemblies = await asyncio.to_thread(_assemblies, [find_spec(name) for name in names], settings)
    try:
        graphs = Graphs(assemblies, saver, store)
        for assembly in assemblies:
            await asyncio.to_thread(graphs.get(assembly.spec.name).compiled, LOCAL)
            await asyncio.to_thread(assembly.warm_up)
        yield graphs
    finally:
        for assembly in assemblies:
            assembly.close()


def _assemblies(specs: list[GraphSpec], settings: Settings) -> list[Assembly]:
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"two graphs are called {name!r}.", hint="Give each a `name` of its own.")
    return [assemble(spec, settings, among=specs) for spec in specs]
