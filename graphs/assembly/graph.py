"""The only place where objects are built: spec → Octopuses, workers, graph."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.errors import SpecError
from agents.octopus.modality import ModalityOctopus
from agents.types import NodeName, Octopus, Worker
from agents.workers.specialist import Specialist
from app.settings import Settings
from graphs.assembly.models import ModelWiring
from graphs.assembly.octopuses import GRAPHS, OctopusWiring
from graphs.spec import GraphSpec, NodeSpec, WorkerSpec
from graphs.spec_file import load_spec

if TYPE_CHECKING:
    from agents.reflection.types import Verifier
    from agents.reflection.worker import Judge
    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.manager import ModelManager
    from agents.workers.models.reference import FunctionChooser
    from graphs.build import Graph
    from tools.declaration import ToolFunction
    from tools.sandbox import Sandbox


def find_spec(graph: str) -> GraphSpec:
    """The spec named `graph`: a shipped one (`mmlu`), a YAML file, or a folder of `octopus graph new`.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
    """
    shipped = GRAPHS / f"{graph}.yaml"
    path = shipped if graph.isidentifier() and shipped.is_file() else Path(graph)
    if path.is_dir():
        path /= f"{path.resolve().name}.yaml"
    if not path.exists():
        names = ", ".join(sorted(p.stem for p in GRAPHS.glob("*.yaml")))
        raise SpecError(f"there is no graph {graph!r}.", hint=f"Give the path of a spec, or one of: {names}.")
    return load_spec(path)


class Wiring(OctopusWiring):
    """Builds what a graph is made of; heavy parts are opened on first use.

    Args:
        spec: the graph.
        settings: what the environment says.
        artifact: folder of a trained artifact; None takes the spec's, or the shipped one of this name.
        zero_shot: leave trained artifacts aside.
        around: the sources of the graphs that this one is a worker of.
        manager: of local models, shared with those graphs; None makes one when it is needed.
    """

    def __init__(
        self,
        spec: GraphSpec,
        settings: Settings,
        *,
        artifact: Path | None = None,
        zero_shot: bool = False,
        around: Sequence[str] = (),
        manager: ModelManager[LocalModel] | None = None,
    ) -> None:
        super().__init__(spec, settings, artifact=artifact, zero_shot=zero_shot)
        self._around = around
        self._sandbox: Sandbox | None = None
        self._inner: list[Wiring] = []
        self.models = ModelWiring(spec, settings, self._chooser, manager)

    def router(self, name: NodeName) -> ModalityOctopus:
        """What routes at node `name`: the embedded Octopus or one on a server; attachments to who reads them.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            SpecError: the reference to a server is not understood.
        """
        return ModalityOctopus(self.routing_octopus(name), self.spec.edges_at(name))

    def workers(self) -> dict[NodeName, Worker]:
        """All workers of the graph.

        Raises:
            SpecError: a tool or model in the spec is not understood.
        """
        return {name: self._worker(name, worker) for name, worker in self.spec.workers.items()}

    def verifiers(self) -> dict[NodeName, Verifier]:
        """What checks drafts by a tool or a schema, for the workers whose spec names one."""
        wanted = {name: worker.reflection.verifier for name, worker in self.spec.workers.items()}
        return {name: verifier for name, one in wanted.items() if (verifier := self._verifier(one))}

    def graph(self) -> Graph:
        """The uncompiled LangGraph graph."""
        from graphs.build import build_graph

        return build_graph(
            self.spec,
            octopuses=self.octopuses,
            workers=self._workers,
            judge=self._judge(),
            verifiers=self.verifiers(),
        )

    def graph_to(self, worker: NodeName) -> Graph:
        """The uncompiled graph that asks `worker`, whatever the Octopus would choose; its threads fit.

        Raises:
            SpecError: there is no such worker.
        """
        from agents.octopus.modality import NamedOctopus
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
        return build_graph(spec, octopuses={master: octopus}, workers={worker: self._workers[worker]})

    @cached_property
    def octopuses(self) -> dict[NodeName, Octopus]:
        """The Octopus of every node that has neighbours."""
        nodes = self.spec.nodes
        return {name: self.router(name) for name in nodes if nodes[name].neighbours}

    @cached_property
    def _workers(self) -> dict[NodeName, Worker]:
        return self.workers()

    def warm(self, name: NodeName) -> None:
        """Begin to load the model of a worker that was chosen."""
        self.models.warm(name)

    def warm_up(self) -> None:
        """Start the process that tools run in, if any, while the query is still being routed."""
        if self._sandbox is not None:
            self._sandbox.start("sympy")
        for wiring in self._inner:
            wiring.warm_up()

    def close(self) -> None:
        """End the process that tools run in, and unload local models."""
        if self._sandbox is not None:
            self._sandbox.close()
        self.models.close()
        for wiring in self._inner:
            wiring.close()

    def _worker(self, name: NodeName, spec: WorkerSpec) -> Worker:
        if spec.graph is not None:
            return self._subgraph(spec.graph)
        recommended = spec.recommended.model if spec.recommended else ""
        return Specialist(
            name,
            tools=self._tool_agent(spec.tools) if spec.tools else None,
            model=self.models.worker(name, spec),
            recommended=recommended,
        )

    def _judge(self) -> Judge | None:
        from agents.reflection.worker import ModelJudge

        model = self.settings.model
        return ModelJudge(self.models.connect(model, self.models.given("judge"))) if model else None

    def _subgraph(self, graph: str) -> Worker:
        from graphs.subgraph import SubgraphWorker

        beside = Path(self.spec.source).parent / graph
        inner = find_spec(str(beside) if beside.is_file() else graph)
        around = (*self._around, self.spec.source)
        if inner.source in around:
            raise SpecError(f"{self.spec.source}: graph {graph!r} contains itself.", hint="Break the circle.")
        manager = self.models.manager
        wiring = Wiring(inner, self.settings, zero_shot=self._zero_shot, around=around, manager=manager)
        wiring.encoder = self.encoder
        self._inner.append(wiring)
        return SubgraphWorker(wiring.graph().compile(name=inner.name))

    def _verifier(self, wanted: str | dict[str, Any] | None) -> Verifier | None:
        from agents.reflection.verifiers import SchemaVerifier

        if isinstance(wanted, dict):
            return SchemaVerifier(wanted)
        if wanted not in ("sympy", "units"):  # a model judges: the worker's own
            return None
        from agents.reflection.verifiers import SympyVerifier, UnitVerifier

        return SympyVerifier(self._tools()) if wanted == "sympy" else UnitVerifier(self._tools())

    def _tools(self) -> Sandbox:
        from tools.sandbox import Sandbox

        self._sandbox = self._sandbox or Sandbox()
        return self._sandbox

    def _tool_agent(self, names: Sequence[str]) -> Worker:
        from agents.workers.tool_agent import ToolAgent
        from tools.errors import ToolError
        from tools.registry import functions

        try:
            found = functions(*names)
        except ToolError as error:
            raise SpecError(f"{self.spec.source}: {error}") from error
        return ToolAgent(found, self._chooser(found), self._tools())

    def _chooser(self, functions: Sequence[ToolFunction]) -> FunctionChooser:
        from agents.workers.tool_agent import EncoderChooser

        build = partial(self._heads.build, embed=self.encoder.embed)
        return EncoderChooser(functions, self.encoder, build)


def spec_hash(spec: GraphSpec) -> str:
    """A hash of what routing depends on: every node's text, examples and edges."""
    parts = [
        (name, node.description, node.examples, sorted(node.neighbours.items()))
        for name, node in sorted(spec.nodes.items())
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
