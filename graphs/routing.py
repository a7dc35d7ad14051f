"""Build what routes in a graph: encoder, heads, artifacts, Octopuses and planner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.octopus.causal.manifest import is_causal
from agents.octopus.embedding import MULTILINGUAL_DIR, Encoder, MultilingualEncoder, installed_multilingual
from agents.octopus.encoder.artifact import LANGUAGES, Artifact, load_artifact, shipped_artifacts
from agents.octopus.encoder.heads import Head, HeadCache, Untrained, trained_head
from agents.octopus.encoder.languages import SPOKEN_LEXICAL, Second, Spoken, WithLanguages, other_language
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate
from agents.octopus.kinds import EncoderReference, local_octopus, parse_octopus
from agents.octopus.kinds.reference import OctopusParts
from agents.types import Decision, Edge, NodeName, Octopus, Step
from graphs.node_spec import NodeSpec
from graphs.settings import GraphSettings
from graphs.spec import GraphSpec, differences, spec_hash
from graphs.spec_file import GRAPHS, load_spec

if TYPE_CHECKING:
    from agents.octopus.causal.artifact import CausalArtifact
    from agents.octopus.encoder.octopus import LocalOctopus
    from agents.octopus.encoder.zero_shot import ZeroShotHead
    from agents.octopus.planning.path_graph import PathGraph
    from agents.octopus.planning.planner import Planner

OnChoice = Callable[[NodeName], None]


def nobody(node: NodeName) -> None:
    """Do nothing with the node that was chosen."""


def read(query: str) -> str:
    """Return "": queries in every language are read."""
    return ""


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artifact, which need not be an encoder's; {} where there is none yet."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Routing:
    """Build what routes in one graph: Octopuses and the planner; heavy parts are opened on first use.

    Attributes:
        spec: the graph.
        settings: what the environment says.
        encoder: embeds texts; graphs inside this one share it.
        trained: folder of a trained artifact; None takes the spec's, or the shipped one of the same content.
        zero_shot: whether trained artifacts are left aside.
    """

    spec: GraphSpec
    settings: GraphSettings
    encoder: Encoder = field(default_factory=Encoder)
    trained: Path | None = None
    zero_shot: bool = False
    _causals: dict[Path, CausalArtifact] = field(default_factory=dict, init=False)

    @cached_property
    def multilingual(self) -> MultilingualEncoder | None:
        """Return what embeds texts of other languages; None without the extra `languages`."""
        return installed_multilingual() if self.settings.languages else None

    @cached_property
    def heads(self) -> HeadCache:
        """Return the cache of zero-shot heads."""
        return HeadCache(self.settings.cache_dir)

    def octopus(self, name: NodeName, on_choice: OnChoice = nobody) -> LocalOctopus:
        """Build the Octopus of a node in this process: of the kind that its spec names or its artifact holds.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            ModelUnavailableError: a package that it needs is not installed.
        """
        node = self.spec.nodes[name]
        return local_octopus(node.octopus.kind, self._folder(node)).connect(self.parts(name, on_choice))

    def encoder_octopus(self, name: NodeName) -> EncoderOctopus:
        """Build the encoder Octopus of a node, from its artifact or else zero-shot.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
        """
        return EncoderReference().connect(self.parts(name))

    def router(self, name: NodeName, on_choice: OnChoice = nobody) -> Octopus:
        """Build what routes at a node: on a server if the spec or the environment says so, else here.

        Args:
            name: of the node.
            on_choice: called with the chosen node before its query is written.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
            SpecError: the reference to a server is not understood.
        """
        own = self.spec.nodes[name].octopus
        text = own.model or (None if own.kind else self.settings.router)
        if not text:
            return self.octopus(name, on_choice)
        return parse_octopus(text, name).connect(self.parts(name, on_choice))

    def parts(self, name: NodeName, on_choice: OnChoice = nobody) -> OctopusParts:
        """Return what the Octopus of a node is built from."""
        node = self.spec.nodes[name]
        edges = self.spec.edges_at(name)
        beside = self.spec.folder / (node.octopus.artifact or "")
        return OctopusParts(
            name,
            edges,
            self.encoder,
            cache(partial(self.embedded_octopus, name)),
            self._causal,
            partial(self._next_step, name, edges),
            artifact=self._folder(node),
            served=beside if node.octopus.artifact and is_causal(beside) else None,
            threshold=node.octopus.threshold,
            generalist=node.generalist,
            parent=self.spec.parent(name),
            fallback=node.octopus.fallback,
            on_choice=on_choice,
        )

    def embedded_octopus(self, name: NodeName) -> EncoderOctopus:
        """Build the encoder Octopus, zero-shot where the artifact is that of a language model that routes."""
        node = self.spec.nodes[name]
        artifact = self.artifact(node)
        head, top = self._head(name, node, artifact)
        trained = not isinstance(head, Untrained)
        if self.multilingual is not None:
            head = WithLanguages(head, partial(self._second, name, node, artifact, self.multilingual))
        edges = self.spec.edges_at(name)
        return EncoderOctopus(
            list(edges.values()),
            head,
            self.encoder,
            top,
            node.octopus.threshold,
            node.generalist,
            self.spec.parent(name),
            next_step=partial(self._next_step, name, edges),
            unread=other_language(self.candidates(node)) if self.multilingual is None else read,
            spoken=partial(self._spoken, node, head if trained else None),
        )

    def _causal(self, folder: Path) -> CausalArtifact:
        """Open the causal artifact of a folder once; masters share one base."""
        from agents.octopus.causal.artifact import open_causal

        if folder not in self._causals:
            self._causals[folder] = open_causal(folder)
        return self._causals[folder]

    @cached_property
    def planner(self) -> Planner:
        """Return what plans paths through the graph: from the entry's artifact, or else zero-shot.

        Raises:
            ArtifactError: an artifact was asked for and cannot be used.
        """
        from agents.octopus.planning.next_node import ZeroShotNext, from_planner
        from agents.octopus.planning.planner import Planner

        artifact = self.artifact(self.spec.nodes[self.spec.entry])
        graph, docstrings = self.path_graph, self.docstrings
        if artifact is None or artifact.planner is None:
            return Planner(graph, ZeroShotNext(graph, docstrings), self.encoder.embed)
        embed = partial(self.encoder.embed, top=artifact.top)
        return Planner(graph, from_planner(artifact.planner, graph, docstrings), embed)

    @cached_property
    def path_graph(self) -> PathGraph:
        """Return the graph as planning reads it."""
        from agents.octopus.planning.path_graph import PathGraph

        neighbours = {name: list(node.neighbours) for name, node in self.spec.nodes.items()}
        return PathGraph.of(neighbours, self.spec.entry, list(self.spec.masters))

    @cached_property
    def docstrings(self) -> ZeroShotHead:
        """Return what the nodes say of themselves, as planning reads it."""
        said = [
            Candidate(name, node.description or name, node.examples) for name, node in self.spec.nodes.items()
        ]
        return self.heads.build(said, self.encoder.embed)

    def artifact(self, node: NodeSpec) -> Artifact | None:
        """Return the trained encoder artifact that a node uses, if any."""
        folder = self._folder(node)
        return load_artifact(folder) if folder and not is_causal(folder) else None

    def _folder(self, node: NodeSpec) -> Path | None:
        if self.zero_shot:
            return None
        if self.trained is not None:
            return self.trained
        if node.octopus.artifact:
            folder = self.spec.folder / node.octopus.artifact
            served = node.octopus.model is not None and is_causal(folder)
            return None if served else folder  # else it is the served model's
        return self._shipped

    @cached_property
    def _shipped(self) -> Path | None:
        """Return the shipped artifact of a graph with these texts and edges, whatever its file is called."""
        return shipped_artifacts().get(spec_hash(self.spec))

    @cached_property
    def notice(self) -> str:
        """Say in a line why the router that was trained for this graph is not used, or may not fit it."""
        folder = self._folder(self.spec.nodes[self.spec.entry])
        if folder is not None:
            trained_for = _manifest(folder).get("spec_hash")
            other = trained_for and trained_for != spec_hash(self.spec)
            return f"{folder} was trained when {self.spec.source} had other texts or edges." if other else ""
        if self.zero_shot or self.spec.folder == GRAPHS:
            return ""
        for shipped in shipped_artifacts().values():
            like = load_spec(GRAPHS / f"{_manifest(shipped)['graph']}.yaml")
            if different := differences(self.spec, like):
                return (
                    f"{self.spec.source} routes zero-shot: it is {like.name} with {'; '.join(different)}, "
                    f"for which the trained router of {like.name} does not fit."
                )
        return ""

    def candidates(self, node: NodeSpec) -> list[Candidate]:
        """Return the neighbours of a node as zero-shot routing reads them."""
        nodes = self.spec.nodes
        return [
            Candidate(name, nodes[name].description or name, nodes[name].examples) for name in node.neighbours
        ]

    def _next_step(
        self,
        name: NodeName,
        edges: Mapping[NodeName, Edge],
        question: str,
        path: Sequence[Step],
        refers_to: str,
    ) -> Decision:
        return self.planner.decide_next(name, edges, question, path, refers_to)

    def _head(self, name: NodeName, node: NodeSpec, artifact: Artifact | None) -> tuple[Head, Path | None]:
        if artifact is not None and artifact.planner is not None and name not in artifact.masters:
            from agents.octopus.planning.planner import FirstStep

            return FirstStep(self.planner, name), artifact.top
        if artifact is None or name not in artifact.masters:
            return self._plain(node), None
        embed = partial(self.encoder.embed, top=artifact.top)
        return trained_head(artifact.masters[name], self.candidates(node), embed), artifact.top

    def _second(
        self, name: NodeName, node: NodeSpec, artifact: Artifact | None, encoder: MultilingualEncoder
    ) -> Second:
        """Build what reads other languages at a node: trained beside its artifact, or else zero-shot."""
        folder = artifact and artifact.folder / LANGUAGES
        found = load_artifact(folder) if folder and folder.is_dir() else None
        if found is None or name not in found.masters:
            head = self.heads.build(self.candidates(node), encoder.embed, MULTILINGUAL_DIR)
            return Second(Untrained.of(head), encoder)
        embed, part, candidates = (
            partial(encoder.embed, top=found.top),
            found.masters[name],
            self.candidates(node),
        )
        lexical = part.lexical and part.lexical.among([candidate.name for candidate in candidates])
        return Second(trained_head(part, candidates, embed), encoder, found.top, lexical)

    def _plain(self, node: NodeSpec) -> Head:
        """Return the head that knows the docstrings alone."""
        return Untrained.of(self.heads.build(self.candidates(node), self.encoder.embed))

    def _spoken(self, node: NodeSpec, head: Head | None) -> Spoken:
        """Build what scores the turns of conversations at a node, where `head` was trained or is None."""
        candidates, second = self.candidates(node), None
        first = Untrained.of(self.heads.build(candidates, self.encoder.embed), SPOKEN_LEXICAL)
        if self.multilingual is not None:
            other = self.heads.build(candidates, self.multilingual.embed, MULTILINGUAL_DIR)
            second = Second(Untrained.of(other, SPOKEN_LEXICAL), self.multilingual)
        return Spoken(head, first, second)
