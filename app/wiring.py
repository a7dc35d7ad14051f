"""The only place where objects are built: spec → encoder, heads, Octopuses, workers, graph."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import graphs as graph_package
from agents.errors import ArtifactError, SpecError
from agents.octopus.artifact import Artifact, load_artifact, shipped_artifact
from agents.octopus.causal_manifest import is_causal
from agents.octopus.embedding import Encoder
from agents.octopus.encoder import EncoderOctopus, Neighbour
from agents.octopus.head_cache import HeadCache
from agents.octopus.heads import Head, Untrained, trained_head
from agents.octopus.modality import Able, ModalityOctopus
from agents.octopus.zero_shot import Candidate
from agents.types import NodeName, Octopus, Worker
from agents.workers.specialist import Specialist
from app.model_wiring import ModelWiring
from app.settings import Settings
from graphs.spec import GraphSpec, NodeSpec, WorkerSpec, load_spec

if TYPE_CHECKING:
    from agents.judge import Judge
    from agents.octopus.causal_artifact import CausalArtifact
    from agents.octopus.local import LocalOctopus
    from agents.octopus.planning.docstrings import Docstrings
    from agents.octopus.planning.path_graph import PathGraph
    from agents.octopus.planning.planner import Planner
    from agents.octopus.planning.stepwise import Onward
    from agents.reflection.types import Verifier
    from agents.workers.tool_agent import FunctionChooser
    from graphs.build import Graph
    from tools.declaration import ToolFunction
    from tools.sandbox import Sandbox

GRAPHS = Path(graph_package.__file__ or "").parent


def find_spec(graph: str) -> GraphSpec:
    """The spec named `graph`: a shipped one (`mmlu`) or a path to a YAML file.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
    """
    shipped = GRAPHS / f"{graph}.yaml"
    path = shipped if graph.isidentifier() and shipped.is_file() else Path(graph)
    if path.is_dir() or not path.exists():
        names = ", ".join(sorted(p.stem for p in GRAPHS.glob("*.yaml")))
        raise SpecError(f"there is no graph {graph!r}.", hint=f"Give the path of a spec, or one of: {names}.")
    return load_spec(path)


class Wiring:
    """Builds what a graph is made of; heavy parts are opened on first use.

    Args:
        spec: the graph.
        settings: what the environment says.
        artifact: folder of a trained artifact; None takes the spec's, or the shipped one of this name.
        zero_shot: leave trained artifacts aside.
        around: the sources of the graphs that this one is a worker of.
    """

    def __init__(
        self,
        spec: GraphSpec,
        settings: Settings,
        *,
        artifact: Path | None = None,
        zero_shot: bool = False,
        around: Sequence[str] = (),
    ) -> None:
        self.spec = spec
        self.settings = settings
        self.encoder = Encoder()
        self._heads = HeadCache(settings.cache_dir)
        self._artifact_folder = artifact
        self._zero_shot = zero_shot
        self._around = around
        self._sandbox: Sandbox | None = None
        self._inner: list[Wiring] = []
        self.models = ModelWiring(spec, settings, self._chooser)
        self._causals: dict[Path, CausalArtifact] = {}

    def octopus(self, name: NodeName) -> LocalOctopus:
        """The Octopus of node `name`: what its artifact is for, encoder or causal, or else zero-shot.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            ModelUnavailableError: a package that it needs is not installed.
        """
        folder = self._folder(self.spec.nodes[name])
        if folder is not None and is_causal(folder):
            return self._causal_octopus(name, self._causal(folder))
        return self.encoder_octopus(name)

    def encoder_octopus(self, name: NodeName) -> EncoderOctopus:
        """The encoder Octopus of node `name`, from its artifact or else zero-shot.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
        """
        node = self.spec.nodes[name]
        folder = self._folder(node)
        if folder is not None and is_causal(folder):
            raise ArtifactError(f"{folder}: this is a causal Octopus; an encoder's artifact is needed here.")
        head, top = self._head(name, node, self.artifact(node))
        neighbours = self._neighbours(node)
        return EncoderOctopus(
            neighbours,
            head,
            self.encoder,
            top,
            node.octopus.threshold,
            node.generalist,
            self._parent(name),
            onward=partial(self._onward, name, neighbours),
        )

    def router(self, name: NodeName) -> ModalityOctopus:
        """What routes at node `name`: the embedded Octopus or one on a server; attachments to who reads them.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            SpecError: the reference to a server is not understood.
        """
        octopus = self.models.octopus(name, cache(partial(self.octopus, name)))
        tokens = self.spec.nodes[name].neighbours
        reads = {node: self.spec.modalities(node) for node in tokens}
        able = {node: Able(tokens[node], self._template(node), read) for node, read in reads.items() if read}
        return ModalityOctopus(octopus, able)

    def _causal_octopus(self, name: NodeName, artifact: CausalArtifact) -> LocalOctopus:
        from agents.octopus.causal import CausalOctopus

        node, master = self.spec.nodes[name], artifact.master(name)
        neighbours = self._neighbours(node)
        threshold = node.octopus.threshold
        return CausalOctopus(
            neighbours,
            artifact.legal(name, neighbours),
            artifact.parts,
            self.encoder,
            adapter=master.adapter,
            temperature=master.temperature,
            threshold=master.threshold if threshold is None else threshold,
            calibrated=bool(master.metrics),
            abstains=master.abstains,
            generalist=node.generalist,
            parent=self._parent(name),
            onward=partial(self._onward, name, neighbours),
        )

    def _causal(self, folder: Path) -> CausalArtifact:
        """The causal artifact of `folder`; masters share one base."""
        from agents.octopus.causal_artifact import open_causal

        if folder not in self._causals:
            self._causals[folder] = open_causal(folder)
        return self._causals[folder]

    def _neighbours(self, node: NodeSpec) -> list[Neighbour]:
        return [
            Neighbour(name, token, self._template(name), self.spec.nodes[name].examples)
            for name, token in node.neighbours.items()
        ]

    def _parent(self, name: NodeName) -> NodeName | None:
        masters = self.spec.masters
        around = self.spec.nodes[name].neighbours
        return next((n for n in around if n in masters and name in masters[n].neighbours), None)

    @cached_property
    def planner(self) -> Planner:
        """What comes next on paths through the graph: from the entry's artifact, or else zero-shot.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
        """
        from agents.octopus.planning.planner import Planner
        from agents.octopus.planning.stored import from_planner
        from agents.octopus.planning.zero_shot import ZeroShotNext

        artifact = self.artifact(self.spec.nodes[self.spec.entry])
        graph, docstrings = self.path_graph, self.docstrings
        if artifact is None or artifact.planner is None:
            return Planner(graph, ZeroShotNext(graph, docstrings), self.encoder.embed)
        embed = partial(self.encoder.embed, top=artifact.top)
        return Planner(graph, from_planner(artifact.planner, graph, docstrings), embed)

    @cached_property
    def path_graph(self) -> PathGraph:
        """The graph as planning reads it."""
        from agents.octopus.planning.path_graph import PathGraph

        neighbours = {name: list(node.neighbours) for name, node in self.spec.nodes.items()}
        return PathGraph.of(neighbours, self.spec.entry, list(self.spec.masters))

    @cached_property
    def docstrings(self) -> Docstrings:
        """What the nodes say of themselves, as planning reads it."""
        from agents.octopus.planning.docstrings import Docstrings

        said = [
            Candidate(name, node.description or name, node.examples) for name, node in self.spec.nodes.items()
        ]
        return Docstrings(self._heads.build(said, self.encoder.embed))

    def artifact(self, node: NodeSpec) -> Artifact | None:
        """The trained encoder artifact that a node uses, if any."""
        folder = self._folder(node)
        return load_artifact(folder) if folder and not is_causal(folder) else None

    def _folder(self, node: NodeSpec) -> Path | None:
        if self._zero_shot:
            return None
        if self._artifact_folder is not None:
            return self._artifact_folder
        if node.octopus.artifact:
            folder = Path(self.spec.source).parent / node.octopus.artifact
            served = node.octopus.model is not None and is_causal(folder)
            return None if served else folder  # else it is the served model's
        return shipped_artifact(self.spec.name) if Path(self.spec.source).parent == GRAPHS else None

    def candidates(self, node: NodeSpec) -> list[Candidate]:
        """The neighbours of a node as zero-shot routing reads them."""
        nodes = self.spec.nodes
        return [
            Candidate(name, nodes[name].description or name, nodes[name].examples) for name in node.neighbours
        ]

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
        from agents.octopus.named import NamedOctopus
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
        octopus = NamedOctopus(self.octopuses[master], Neighbour(worker, token, self._template(worker)))
        return build_graph(spec, octopuses={master: octopus}, workers={worker: self._workers[worker]})

    @cached_property
    def octopuses(self) -> dict[NodeName, Octopus]:
        """The Octopus of every node that has neighbours."""
        nodes = self.spec.nodes
        return {name: self.router(name) for name in nodes if nodes[name].neighbours}

    @cached_property
    def _workers(self) -> dict[NodeName, Worker]:
        return self.workers()

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

    def _onward(self, name: NodeName, neighbours: Sequence[Neighbour]) -> Onward:
        from agents.octopus.planning.stepwise import Onward

        tokens = {neighbour.node: neighbour.token for neighbour in neighbours}
        templates = {neighbour.node: neighbour.template for neighbour in neighbours}
        return Onward(self.planner, name, tokens, templates)

    def _head(self, name: NodeName, node: NodeSpec, artifact: Artifact | None) -> tuple[Head, Path | None]:
        if artifact is not None and artifact.planner is not None and name not in artifact.masters:
            from agents.octopus.planning.head import FirstStep

            return FirstStep(self.planner, name), artifact.top
        if artifact is None or name not in artifact.masters:
            return Untrained.of(self._heads.build(self.candidates(node), self.encoder.embed)), None
        embed = partial(self.encoder.embed, top=artifact.top)
        return trained_head(artifact.masters[name], self.candidates(node), embed), artifact.top

    def _template(self, name: NodeName) -> str:
        return self.spec.workers[name].template if name in self.spec.workers else "{query}"

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
        from agents.judge import ModelJudge

        model = self.settings.model
        return ModelJudge(self.models.connect(NodeName("judge"), model, "")) if model else None

    def _subgraph(self, graph: str) -> Worker:
        from graphs.subgraph import SubgraphWorker

        beside = Path(self.spec.source).parent / graph
        inner = find_spec(str(beside) if beside.is_file() else graph)
        around = (*self._around, self.spec.source)
        if inner.source in around:
            raise SpecError(f"{self.spec.source}: graph {graph!r} contains itself.", hint="Break the circle.")
        wiring = Wiring(inner, self.settings, zero_shot=self._zero_shot, around=around)
        wiring.encoder = self.encoder
        wiring.models.__dict__["manager"] = self.models.manager
        self._inner.append(wiring)
        return SubgraphWorker(wiring.graph().compile(name=inner.name))

    def _verifier(self, wanted: str | dict[str, Any] | None) -> Verifier | None:
        from agents.reflection.schema import SchemaVerifier

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
        from agents.workers.function_chooser import EncoderChooser

        build = partial(self._heads.build, embed=self.encoder.embed)
        return EncoderChooser(functions, self.encoder, build)


def spec_hash(spec: GraphSpec) -> str:
    """A hash of what routing depends on: every node's text, examples and edges."""
    parts = [
        (name, node.description, node.examples, sorted(node.neighbours.items()))
        for name, node in sorted(spec.nodes.items())
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
