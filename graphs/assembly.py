"""Assemble a graph: the only place where its parts are built, from a spec and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.errors import SpecError
from agents.octopus.ability import AbilityOctopus, Able, ModalityOctopus, NamedOctopus, Together
from agents.redaction import bare_urls
from agents.types import NodeName, Octopus, Worker
from agents.workers.kinds import connect, parse_reference
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import Connection, Warmable
from agents.workers.specialist import Specialist
from graphs.node_spec import NodeSpec, WorkerSpec
from graphs.routing import Routing
from graphs.settings import GraphSettings, check_workers
from graphs.spec import GraphSpec
from graphs.spec_file import find_spec as find_spec
from graphs.spec_file import inner_spec, with_inner

if TYPE_CHECKING:
    from agents.octopus.planning.planner import Planner
    from agents.reflection.types import Verifier
    from agents.reflection.worker import Judge
    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.reference import FunctionChooser
    from agents.workers.tool_agent import ToolAgent
    from agents.workers.toolbox import Toolbox
    from graphs.build import Graph
    from tools.declaration import ToolFunction
    from tools.sandbox import Sandbox


def assemble(
    spec: GraphSpec,
    settings: GraphSettings,
    *,
    artifact: Path | None = None,
    zero_shot: bool = False,
    workers: Mapping[NodeName, Worker] | None = None,
    tools: Mapping[str, Sequence[object]] | None = None,
    among: Sequence[GraphSpec] = (),
) -> Assembly:
    """Assemble the graph of `spec`; nothing is opened before it is used.

    Args:
        spec: the graph.
        settings: what the environment says.
        artifact: folder of a trained artifact; None takes the spec's, or the shipped one of the same content.
        zero_shot: whether trained artifacts are left aside.
        workers: those that are there already; the others are built as the spec says.
        tools: what the models of workers may call besides: LangChain tools, and functions.
        among: all graphs that are opened, where it is one of several: a model may be for a worker of another.

    Raises:
        SpecError: tools or a model are given for a worker that is not there.
    """
    if unknown := sorted((tools or {}).keys() - spec.workers.keys()):
        known = sorted(spec.workers)
        raise SpecError(f"tools are given for {unknown[0]!r}, which is no worker; workers: {known}.")
    if settings.models and not workers:
        check_workers(settings.models, [inner for one in among or [spec] for inner in with_inner(one)])
        spec = spec.with_models(settings.models)
    routing = Routing(spec, settings, trained=artifact, zero_shot=zero_shot)
    models: ModelManager[LocalModel] = ModelManager(settings.model_memory)
    return Assembly(spec, settings, routing, models, given=workers or {}, tools=tools or {})


@dataclass(frozen=True)
class Assembly:
    """Hold the parts of one graph; each is built on first use.

    Attributes:
        spec: the graph.
        settings: what the environment says.
        routing: builds Octopuses and the planner.
        models: loads models in this process; graphs inside this one share it.
        given: workers that were there already.
        around: sources of the graphs that this one is a worker of.
        tools: what the models of workers may call besides.
    """

    spec: GraphSpec
    settings: GraphSettings
    routing: Routing
    models: ModelManager[LocalModel]
    given: Mapping[NodeName, Worker] = field(default_factory=dict)
    around: tuple[str, ...] = ()
    tools: Mapping[str, Sequence[object]] = field(default_factory=dict)
    _inner: dict[str, Assembly] = field(default_factory=dict, init=False)  # graphs that are workers

    @cached_property
    def octopuses(self) -> dict[NodeName, Octopus]:
        """Return the Octopus of every node that has neighbours; it knows what these can read and do.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            SpecError: the reference to a server is not understood.
        """
        return {
            name: self._able(name, node, self.routing.router(name, self.warm))
            for name, node in self.spec.nodes.items()
            if node.neighbours
        }

    def _able(self, name: NodeName, node: NodeSpec, octopus: Octopus) -> AbilityOctopus:
        edges = self.spec.edges_at(name)
        abilities = cache(lambda: {neighbour: self.ability(neighbour) for neighbour in edges})
        return AbilityOctopus(ModalityOctopus(octopus, edges), edges, abilities, node.generalist)

    def ability(self, name: NodeName, around: frozenset[NodeName] = frozenset()) -> Able | None:
        """Return what a node can do: its worker, or else its neighbours; None where a worker does not say.

        Args:
            name: of the node.
            around: nodes that lead to it, for graphs that go round.
        """
        if name in self.workers:
            worker = self.workers[name]
            return worker if isinstance(worker, Able) else None
        around |= {name}
        below = [one for one in self.spec.nodes[name].neighbours if one not in around]
        return Together([self.ability(one, around) for one in below])

    @cached_property
    def workers(self) -> dict[NodeName, Worker]:
        """Return all workers.

        Raises:
            SpecError: a tool or model in the spec is not understood.
        """
        return {name: self._worker(name, worker) for name, worker in self.spec.workers.items()}

    @cached_property
    def verifiers(self) -> dict[NodeName, Verifier]:
        """Return what checks drafts by a tool or a schema, for the workers whose spec names one."""
        from agents.reflection.verifiers import verifier_of

        named = {name: worker.reflection.verifier for name, worker in self.spec.workers.items()}
        # "model": the worker's own model judges.
        return {name: verifier_of(one, self.sandbox) for name, one in named.items() if one and one != "model"}

    @property
    def planner(self) -> Planner:
        """Return what plans paths through the graph."""
        return self.routing.planner

    @cached_property
    def judge(self) -> Judge | None:
        """Return the general model as the judge between experts; None if there is no such model."""
        from agents.reflection.worker import ModelJudge

        model = self.settings.model
        return ModelJudge(connect(model, self.connection("judge"))) if model else None

    def graph(self) -> Graph:
        """Return the uncompiled LangGraph graph."""
        from graphs.build import build_graph

        return build_graph(
            self.spec,
            octopuses=self.octopuses,
            workers=self.workers,
            judge=self.judge,
            verifiers=self.verifiers,
        )

    def graph_to(self, worker: NodeName) -> Graph:
        """Return the uncompiled graph that asks `worker`, whatever the Octopus would choose; its threads fit.

        Raises:
            SpecError: there is no such worker.
        """
        from graphs.build import build_graph

        edge = next((edge for edge in self.spec.edges if edge[2] == worker), None)
        if edge is None or worker not in self.spec.workers:
            raise SpecError(f"{self.spec.source}: there is no worker {worker!r}.")
        master, token, _ = edge
        only = NodeSpec(neighbours={worker: token})
        alone = self.spec.workers[worker].model_copy(update={"neighbours": {}, "generalist": None})
        spec = self.spec.model_copy(
            update={"entry": master, "masters": {master: only}, "workers": {worker: alone}}
        )
        octopus = NamedOctopus(self.octopuses[master], self.spec.edges_at(master)[worker])
        return build_graph(spec, octopuses={master: octopus}, workers={worker: self.workers[worker]})

    def connection(self, name: str, **given: Any) -> Connection:
        """Return what a worker of this graph is connected with; `given` are further fields."""
        general = self.settings.model
        return Connection(
            name,
            folder=self.spec.folder,
            manager=self.models,
            make_chooser=self._chooser,
            general=parse_reference(general) if general else None,
            **given,
        )

    def warm(self, name: NodeName) -> None:
        """Begin to load the model of a worker that was chosen; not where workers were not built yet."""
        worker = vars(self).get("workers", {}).get(name)
        if isinstance(worker, Warmable):
            worker.warm()

    def warm_up(self) -> None:
        """Start the process that tools run in, if any, while the query is still being routed."""
        if sandbox := vars(self).get("sandbox"):
            sandbox.start("sympy")
        for inner in self._inner.values():
            inner.warm_up()

    def close(self) -> None:
        """End the process that tools run in, and unload local models."""
        if sandbox := vars(self).get("sandbox"):
            sandbox.close()
        self.models.close()
        for inner in self._inner.values():
            inner.close()

    @cached_property
    def sandbox(self) -> Sandbox:
        """Return the process that tools run in."""
        from tools.sandbox import Sandbox

        return Sandbox()

    def _worker(self, name: NodeName, spec: WorkerSpec) -> Worker:
        if (given := self.given.get(name)) is not None:
            return self._with_tools(name, given) if name in self.tools else given
        if spec.graph is not None:
            return self._subgraph(spec.graph)
        recommended = spec.recommended.model if spec.recommended else ""
        tools = self._tool_agent(self._functions[name]) if self._functions[name] else None
        return Specialist(name, tools=tools, model=self._model(name, spec), recommended=recommended)

    def _model(self, name: NodeName, spec: WorkerSpec) -> Worker | None:
        """Connect the worker's own model, or the general one; return None if neither is set."""
        reference = spec.model or self.settings.model
        # Without a model there is nobody to call tools; those of the user are looked at all the same.
        of_user = name in self.tools or any(":" in one for one in spec.tools)
        tools = self._toolbox(name, spec) if reference or of_user else None
        if not reference:
            return None
        if spec.model and spec.modalities and parse_reference(spec.model).text_only:
            raise SpecError(
                f"{self.spec.source}: worker {name!r} declares {', '.join(spec.modalities)}, but "
                f"{bare_urls(spec.model)!r} reads text only.",
                hint="Serve such a model, and write openai:NAME@URL or provider:PROVIDER:NAME.",
            )
        if tools and tools.own and not parse_reference(reference).calls_tools:
            told = f"worker {name!r} has tools for a model, and {bare_urls(reference)!r} calls none."
            raise SpecError(f"{self.spec.source}: {told}", hint="Give it a language model.")
        own = {"prompt": spec.prompt, "window": spec.window, "summarises": spec.overflow == "summary"}
        return connect(reference, self.connection(name, **own, tools=tools))

    def _toolbox(self, name: NodeName, spec: WorkerSpec) -> Toolbox | None:
        """Return what a worker's model may call; None for nothing."""
        from agents.workers.toolbox import Toolbox

        box = Toolbox(self._functions[name], self.sandbox, self._chooser)
        try:
            box.add([one for one in spec.tools if ":" in one], self.tools.get(name, ()), self.spec.folder)
        except SpecError as error:
            raise SpecError(f"{self.spec.source}: worker {name!r}: {error}") from error
        return box if box.shipped or box.own else None

    def _with_tools(self, name: NodeName, worker: Worker) -> Worker:
        from agents.workers.callables import with_tools

        return with_tools(worker, self.connection(name, tools=self._toolbox(name, self.spec.workers[name])))

    def _subgraph(self, graph: str) -> Worker:
        from graphs.build import SubgraphWorker

        spec = inner_spec(self.spec, graph).with_models(self.settings.models)
        around = (*self.around, self.spec.source)
        if spec.source in around:
            raise SpecError(f"{self.spec.source}: graph {graph!r} contains itself.", hint="Break the circle.")
        routing = Routing(spec, self.settings, self.routing.encoder, zero_shot=self.routing.zero_shot)
        inner = self._inner[graph] = Assembly(spec, self.settings, routing, self.models, around=around)
        return SubgraphWorker(inner.graph().compile(name=spec.name), able=inner.ability(spec.entry))

    @cached_property
    def _functions(self) -> dict[NodeName, tuple[ToolFunction, ...]]:
        """Return the functions of ours that workers have."""
        from tools.declaration import ToolError
        from tools.registry import functions

        try:
            return {
                name: functions(*(one for one in worker.tools if ":" not in one))
                for name, worker in self.spec.workers.items()
            }
        except ToolError as error:
            raise SpecError(f"{self.spec.source}: {error}") from error

    def _tool_agent(self, functions: Sequence[ToolFunction]) -> ToolAgent:
        from agents.workers.tool_agent import ToolAgent

        return ToolAgent(functions, self._chooser(functions), self.sandbox)

    def _chooser(self, functions: Sequence[ToolFunction]) -> FunctionChooser:
        from agents.workers.tool_agent import EncoderChooser

        encoder, heads = self.routing.encoder, self.routing.heads
        return EncoderChooser(functions, encoder, lambda said: heads.build(said, encoder.embed))
