"""List the kinds of Octopuses, and read references of any kind; a reference builds its Octopus.

A new kind is a subclass of `OctopusReference`: one in this process is listed in `LOCAL`, one on a server in
served.py.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from agents.errors import ArtifactError, SpecError
from agents.octopus.kinds.reference import OctopusParts, OctopusReference
from agents.octopus.kinds.served import SERVED
from agents.redaction import bare_urls
from agents.types import NodeName

if TYPE_CHECKING:
    from agents.octopus.encoder.octopus import EncoderOctopus, LocalOctopus


class LocalReference(OctopusReference):
    """Name a model that routes in this process; the node's artifact says which."""

    @classmethod
    def parse(cls, rest: str) -> Self | None:
        """Accept the kind alone."""
        return None if rest else cls()

    @abstractmethod
    def connect(self, parts: OctopusParts) -> LocalOctopus:
        """Build the Octopus from its artifact."""

    def reachable(self) -> bool:
        """Return that it can be asked: it is in this process."""
        return True


class EncoderReference(LocalReference):
    """Name the embedded default."""

    kind = form = "encoder"

    def connect(self, parts: OctopusParts) -> EncoderOctopus:
        """Build the encoder Octopus, from its artifact or else zero-shot."""
        from agents.octopus.causal.manifest import is_causal

        if parts.artifact is not None and is_causal(parts.artifact):
            raise ArtifactError(
                f"{parts.artifact}: this is a causal Octopus; an encoder's artifact is needed here."
            )
        return parts.encoder_octopus()


class CausalReference(LocalReference):
    """Name a language model with functional tokens, trained here or laid out as such."""

    kind = form = "causal"

    def connect(self, parts: OctopusParts) -> LocalOctopus:
        """Build the causal Octopus of the node's artifact."""
        if parts.artifact is None:
            raise ArtifactError(
                f"the node {parts.name!r} has no artifact, so no causal Octopus.",
                hint="Name its folder: `octopus: {kind: causal, artifact: FOLDER}`.",
            )
        from agents.octopus.causal.octopus import CausalOctopus

        artifact, neighbours = parts.open_causal(parts.artifact), list(parts.edges.values())
        master = artifact.master(parts.name)
        return CausalOctopus(
            neighbours,
            artifact.legal(parts.name, neighbours),
            artifact.parts,
            parts.encoder,
            adapter=master.adapter,
            temperature=master.temperature,
            threshold=master.threshold if parts.threshold is None else parts.threshold,
            calibrated=bool(master.metrics),
            abstains=master.abstains,
            generalist=parts.generalist,
            parent=parts.parent,
            next_step=parts.next_step,
            on_choice=parts.on_choice,
        )


LOCAL: Mapping[str, type[LocalReference]] = MappingProxyType(
    {one.kind: one for one in (EncoderReference, CausalReference)}
)
KINDS: Mapping[str, type[OctopusReference]] = MappingProxyType({**LOCAL, **{one.kind: one for one in SERVED}})


def parse_octopus(text: str, name: NodeName) -> OctopusReference:
    """Read a reference of any kind; `{master}` in it stands for the node's name.

    Raises:
        SpecError: the kind is unknown, or what follows it has another form.
    """
    kind, _, rest = text.strip().replace("{master}", name).partition(":")
    found = KINDS[kind].parse(rest) if kind in KINDS else None
    if found is None:
        forms = [KINDS[kind].form] if kind in KINDS else [one.form for one in KINDS.values()]
        raise SpecError(
            f"the octopus {bare_urls(text)!r} is not understood.",
            hint=f"Write {', '.join(forms)}; "
            "e.g. vllm:octopus-base#{master}@http://localhost:8000 (an adapter for each routing node).",
        )
    return found


def local_octopus(kind: str | None, artifact: Path | None) -> LocalReference:
    """Return the reference to the local `kind`; without one, to the kind that the artifact holds."""
    from agents.octopus.causal.manifest import is_causal

    found = "causal" if artifact is not None and is_causal(artifact) else "encoder"
    return LOCAL[kind or found]()
