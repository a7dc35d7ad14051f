"""`octopus.json`: what a folder with a causal Octopus holds, written last.

octopus.json          prompt format, token names, and per master: adapter, temperature, threshold
base/                 model and tokenizer, with functional tokens in their vocabulary
adapters/<n>/         a LoRA adapter per master, as peft saves it

For a checkpoint from elsewhere, write an `octopus.json` with `"base": "."` and no masters beside its
`config.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agents.octopus.manifest_file import read_manifest_file
from agents.octopus.tokens import parse_token
from agents.types import FunctionalToken, NodeName

MANIFEST = "octopus.json"


class CausalMaster(BaseModel):
    """How one master speaks.

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
    """A causal Octopus on disk.

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
        """What the model's vocabulary calls the functional token `token` of a spec."""
        return self.slot.replace("{slot}", str(parse_token(token)))


def is_causal(folder: Path) -> bool:
    """Whether `folder` holds a causal Octopus."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> CausalManifest:
    """The manifest of `folder`.

    Raises:
        ArtifactError: there is none, or it is wrong.
    """
    hint = "Train one with `octopus train functional-tokens`."
    return read_manifest_file(folder / MANIFEST, CausalManifest, "no causal Octopus", hint)


def write_manifest(folder: Path, manifest: CausalManifest) -> None:
    """Write the manifest, which completes the folder; a reader sees the old one or the new one."""
    unfinished = folder / (MANIFEST + ".new")
    unfinished.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)
