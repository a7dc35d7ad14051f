"""How a model with functional tokens was taught to read and write, as its training wrote it down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.errors import ArtifactError
from agents.octopus.tokens import END_TOKEN, parse_token
from agents.types import FunctionalToken, NodeName

MANIFEST = "octopus.json"


@dataclass(frozen=True, slots=True)
class CallFormat:
    """Prompt, names of tokens, and calibration.

    Attributes:
        before, after: the prompt around the query; by default those of Octopus v4 (arXiv 2404.19296).
        slot, end: what its vocabulary calls functional tokens; `{slot}` stands for the slot's number.
        most_tokens: of a call.
        temperature: divides the log-probabilities; None was not fitted.
        threshold: probability below which the cascade takes over.
        abstains: whether `<nexa_end>` in first position was trained to mean that no neighbour fits.
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

    @classmethod
    def read(cls, folder: Path, master: NodeName) -> CallFormat:
        """From the `octopus.json` of a trained causal Octopus, whose base and adapters are served.

        Raises:
            ArtifactError: there is none, it cannot be read, or it does not know `master`.
        """
        path = folder / MANIFEST
        try:
            found = _Manifest.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise ArtifactError(
                f"{path}: no causal Octopus here ({error}).", hint="Give the folder that its training wrote."
            ) from error
        if found.masters and master not in found.masters:
            known = ", ".join(sorted(found.masters))
            raise ArtifactError(f"{path}: no master {master!r} was trained.", hint=f"There are: {known}.")
        own = found.masters.get(master, _Master())
        return cls(
            found.before,
            found.after,
            found.slot,
            found.end,
            found.most_tokens,
            own.temperature,
            own.threshold,
            own.abstains,
        )

    def spelling(self, token: FunctionalToken) -> str:
        """What the model calls a token of the spec."""
        return self.end if token == END_TOKEN else self.slot.replace("{slot}", str(parse_token(token)))


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Master(_Part):
    temperature: float | None = Field(default=None, gt=0)
    threshold: float = Field(default=0.0, ge=0, le=1)
    abstains: bool = False


class _Manifest(_Part):
    before: str
    after: str
    slot: str = Field(default="<nexa_{slot}>", pattern=r"\{slot\}")
    end: str = str(END_TOKEN)
    most_tokens: int = Field(default=512, ge=8)
    masters: dict[NodeName, _Master] = Field(default_factory=dict)
