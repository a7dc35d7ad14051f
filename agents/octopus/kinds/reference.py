"""Define what a reference to an Octopus is: one line in a spec or in OCTOPUS_ROUTER, such as `encoder`.

A kind of reference is a class that parses, connects and checks; the package lists the kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from agents.types import Edge, NodeName, Octopus

if TYPE_CHECKING:
    from agents.octopus.causal.artifact import CausalArtifact
    from agents.octopus.embedding import Encoder
    from agents.octopus.encoder.octopus import EncoderOctopus, NextStep


@dataclass(frozen=True)
class OctopusParts:
    """Hold what the Octopus of a node is built from, besides its reference.

    Attributes:
        name: of the node.
        edges: of the node, by neighbour.
        encoder: embeds texts; shared by all nodes.
        encoder_octopus: builds the node's encoder Octopus, which also reads follow-ups for one on a server.
        open_causal: opens the causal artifact of a folder.
        next_step: decides after a step of the walk.
        artifact: folder of the trained artifact; None routes zero-shot.
        served: folder of the causal Octopus that is served, if its training is known here.
        threshold: probability below which the cascade takes over; None takes the artifact's.
        generalist, parent: neighbours that the cascade may fall back to.
        fallback: whether the encoder Octopus decides where a server cannot.
        on_choice: called with the chosen node before its query is written.
    """

    name: NodeName
    edges: Mapping[NodeName, Edge]
    encoder: Encoder
    encoder_octopus: Callable[[], EncoderOctopus]
    open_causal: Callable[[Path], CausalArtifact]
    next_step: NextStep
    artifact: Path | None = None
    served: Path | None = None
    threshold: float | None = None
    generalist: NodeName | None = None
    parent: NodeName | None = None
    fallback: bool = False
    on_choice: Callable[[NodeName], None] = lambda node: None


class OctopusReference(ABC):
    """Name a model that routes; `kind` is the word that it begins with, `form` how it is written."""

    kind: ClassVar[str]
    form: ClassVar[str]

    @classmethod
    @abstractmethod
    def parse(cls, rest: str) -> Self | None:
        """Read what follows the kind; return None if it has another form."""

    @abstractmethod
    def connect(self, parts: OctopusParts) -> Octopus:
        """Build the Octopus; send nothing.

        Raises:
            ArtifactError: its artifact cannot be used.
            ModelUnavailableError: a package that it needs is not installed.
        """

    @abstractmethod
    def reachable(self) -> bool:
        """Return whether it could be asked now; blocking."""
