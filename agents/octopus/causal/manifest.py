"""Read and write `octopus.json`, which says what a causal Octopus's folder holds; it is written last.

octopus.json          prompt format, token names, and per master: adapter, temperature, threshold
base/                 model and tokenizer, with functional tokens in their vocabulary
adapters/<n>/         a LoRA adapter per master, as peft saves it

For a checkpoint from elsewhere, write an `octopus.json` with `"base": "."` and no masters beside its
`config.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agents.errors import ArtifactError
from agents.octopus.encoder.artifact import read_manifest_file
from agents.octopus.tokens import END_TOKEN, break_up, defuse, parse_token
from agents.types import FunctionalToken, NodeName

MANIFEST = "octopus.json"


class CausalMaster(BaseModel):
    """Describe how one routing node speaks.

    Attributes:
        neighbours: functional token of each neighbour in training.
        adapter: folder of its LoRA adapter, below the manifest's; None speaks with the base alone.
        temperature: divides the logits.
        threshold: probability below which the cascade takes over.
        abstains: whether `<nexa_end>` first was trained to mean "no neighbour fits".
        metrics: on rows held out in training.
    """

    model_config = ConfigDict(extra="forbid")

    neighbours: dict[NodeName, FunctionalToken]
    adapter: str | None = None
    temperature: float = Field(default=1.0, gt=0)
    threshold: float = Field(default=0.0, ge=0, le=1)
    abstains: bool = False
    metrics: dict[str, float] = Field(default_factory=dict)


class CausalManifest(BaseModel):
    """Describe a causal Octopus on disk.

    Attributes:
        base: folder of model and tokenizer, relative to the manifest's.
        before, after: the prompt around the query.
        slot, end: names of the functional tokens; `{slot}` stands for the slot's number.
        most_tokens: of a call.
        dtype: of the weights in memory; `auto` takes the checkpoint's.
        masters: by name; a checkpoint without any serves every master with its base.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    kind: Literal["causal"] = "causal"
    graph: str = ""
    spec_hash: str = ""
    base: str = "base"
    before: str
    after: str
    slot: str = "<nexa_{slot}>"
    end: str = "<nexa_end>"
    most_tokens: int = Field(default=512, ge=8)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    masters: dict[NodeName, CausalMaster] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @field_validator("slot")
    @classmethod
    def _numbers_slots(cls, value: str) -> str:
        if "{slot}" not in value:
            raise ValueError(f"{value!r} has no {{slot}}, so all functional tokens would be one")
        return value

    def spelling(self, token: FunctionalToken) -> str:
        """Return what the model's vocabulary calls the functional token `token` of a spec."""
        return self.slot.replace("{slot}", str(parse_token(token)))


def is_causal(folder: Path) -> bool:
    """Return whether `folder` holds a causal Octopus."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> CausalManifest:
    """Read the manifest of `folder`.

    Raises:
        ArtifactError: there is none, or it is wrong.
    """
    hint = "Train one with `octopus train functional-tokens`."
    return read_manifest_file(folder / MANIFEST, CausalManifest, "no causal Octopus", hint)


def master_of(folder: Path, manifest: CausalManifest, name: NodeName) -> CausalMaster:
    """Return how the routing node `name` speaks; a checkpoint without any speaks the same for all.

    Raises:
        ArtifactError: the artifact was not trained for this node.
    """
    masters = manifest.masters
    if masters and name not in masters:
        raise ArtifactError(
            f"{folder}: knows no master {name!r}, only {', '.join(masters)}.",
            hint=f"Train it: octopus train functional-tokens --master {name} --out {folder}.",
        )
    return masters.get(name, CausalMaster(neighbours={}))


def write_manifest(folder: Path, manifest: CausalManifest) -> None:
    """Write the manifest, which completes the folder; a reader sees the old one or the new one."""
    unfinished = folder / (MANIFEST + ".new")
    unfinished.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)


@dataclass(frozen=True, slots=True)
class CallFormat:
    """Describe how a model was taught to read and write: prompt, names of tokens, calibration.

    Attributes:
        before, after: the prompt around the query; by default those of Octopus v4 (arXiv 2404.19296).
        slot, end: what its vocabulary calls functional tokens; `{slot}` stands for the slot's number.
        most_tokens: of a call.
        temperature: divides the log-probabilities; None was not fitted.
        threshold: probability below which the cascade takes over.
        abstains: whether `<nexa_end>` in first position was trained to mean that no neighbour fits.
        controls: more of its tokens that a query must not hold, as they are spelt.
    """

    before: str = (
        "<|system|>You are a router. Below is the query from the users, please call the correct function and "
        "generate the parameters to call the function.<|end|><|user|>"
    )
    after: str = "<|end|><|assistant|>"
    slot: str = "<nexa_{slot}>"
    end: str = str(END_TOKEN)
    most_tokens: int = 512
    temperature: float | None = None
    threshold: float = 0.0
    abstains: bool = False
    controls: frozenset[str] = frozenset()

    @classmethod
    def read(cls, folder: Path, master: NodeName) -> CallFormat:
        """Read the format from a trained causal Octopus, whose base and adapters are served.

        Raises:
            ArtifactError: there is none, it cannot be read, or it does not know `master`.
        """
        found = read_manifest(folder)
        own = master_of(folder, found, master)
        return cls(
            found.before,
            found.after,
            found.slot,
            found.end,
            found.most_tokens,
            own.temperature if own.metrics else None,
            own.threshold,
            own.abstains,
            _special_tokens(folder / found.base / "tokenizer.json")
            | {found.spelling(token) for token in own.neighbours.values()},
        )

    def spelling(self, token: FunctionalToken) -> str:
        """Return what the model calls a token of the spec."""
        return self.end if token == END_TOKEN else self.slot.replace("{slot}", str(parse_token(token)))

    def harmless(self, query: str) -> str:
        """Return the query with what a server would read as control tokens spaced out."""
        return break_up(defuse(query), {*self.controls, self.end})


def _special_tokens(path: Path) -> frozenset[str]:
    """Return what a `tokenizer.json` calls special; nothing without one, for the base may be elsewhere."""
    if not path.is_file():
        return frozenset()
    try:
        added = json.loads(path.read_text(encoding="utf-8")).get("added_tokens", [])
        return frozenset(token["content"] for token in added if token["special"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path}: cannot be used ({error}).") from error
