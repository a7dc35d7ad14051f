"""Read a causal Octopus from its folder: model, tokenizers, grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.errors import ArtifactError, ModelUnavailableError
from agents.octopus.causal.batching import Batcher
from agents.octopus.causal.grammar import Grammar
from agents.octopus.causal.manifest import CausalManifest, CausalMaster, master_of, read_manifest
from agents.octopus.causal.octopus import CausalParts
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from agents.types import Edge, NodeName


@dataclass(frozen=True)
class CausalArtifact:
    """Hold a loaded causal Octopus, for all routing nodes of its graph."""

    folder: Path
    manifest: CausalManifest
    parts: CausalParts

    def master(self, name: NodeName) -> CausalMaster:
        """Return how `name` speaks; a checkpoint without masters speaks the same for all.

        Raises:
            ArtifactError: it was not trained for this master.
        """
        return master_of(self.folder, self.manifest, name)

    def legal(self, name: NodeName, neighbours: Sequence[Edge]) -> list[int]:
        """Return the id of each neighbour's functional token.

        Raises:
            ArtifactError: the vocabulary lacks a token, or training knew it by another node.
        """
        trained, found = self.master(name).neighbours, []
        for neighbour in neighbours:
            known = trained.get(neighbour.node)
            if trained and known != neighbour.token:
                meant = f"by {known}" if known else "not at all"
                raise ArtifactError(
                    f"{self.folder}: {neighbour.node!r} is {neighbour.token}, but was trained {meant}.",
                    hint=f"Train the master again: octopus train functional-tokens --master {name}.",
                )
            token = self.manifest.spelling(neighbour.token)
            ids = self.parts.prompts.tokenizer.token_id(token)
            if ids is None:
                raise ArtifactError(f"{self.folder}: the vocabulary has no functional token {token!r}.")
            found.append(ids)
        return found


def open_causal(folder: Path) -> CausalArtifact:
    """Read the causal Octopus of `folder`.

    Raises:
        ArtifactError: it is not complete, or not usable.
        ModelUnavailableError: a package of the extra `hf` is missing.
    """
    manifest = read_manifest(folder)
    tokenizer = PromptTokenizer.read(folder / manifest.base)
    end = tokenizer.token_id(manifest.end)
    if end is None:
        raise ArtifactError(f"{folder}: the vocabulary has no {manifest.end!r}.")
    functional = {own for own in map(tokenizer.token_id, _slots(tokenizer, manifest)) if own is not None}
    # A checkpoint may have registered its functional tokens as ordinary ones.
    special = tokenizer.special | functional | {end}
    tokenizer = PromptTokenizer(tokenizer.control, tokenizer.plain, special)
    prompts = PromptFormat(tokenizer, manifest.before, manifest.after)
    shared = prompts.prompt("").shared
    try:
        if any(master.adapter for master in manifest.masters.values()):
            import peft  # noqa: F401 - else a missing package would only be found at the first question
        from agents.octopus.causal.model import CausalModel

        model = CausalModel.read(folder, manifest, end, sorted(special - {end}), shared)
    except ModuleNotFoundError as error:
        raise ModelUnavailableError(
            f"{folder} is a causal Octopus, but the package {error.name!r} is not installed.",
            hint="Install the extra: pip install -e '.[hf]'.",
        ) from error
    parts = CausalParts(Batcher(model.run), prompts, Grammar(tokenizer, end), model.context)
    return CausalArtifact(folder, manifest, parts)


def _slots(tokenizer: PromptTokenizer, manifest: CausalManifest) -> list[str]:
    before, after = manifest.slot.split("{slot}", 1)
    return [
        token
        for token in tokenizer.control.get_vocab()
        if token.startswith(before)
        and token.endswith(after)
        and token[len(before) : -len(after) or None].isdigit()
    ]
