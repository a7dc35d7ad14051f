"""How a model with functional tokens was taught to read and write, as its training wrote it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agents.errors import ArtifactError
from agents.octopus.causal.manifest import read_manifest
from agents.octopus.tokens import END_TOKEN, break_up, defuse, parse_token
from agents.types import FunctionalToken, NodeName


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
        """From the `octopus.json` of a trained causal Octopus, whose base and adapters are served.

        Raises:
            ArtifactError: there is none, it cannot be read, or it does not know `master`.
        """
        found = read_manifest(folder)
        if found.masters and master not in found.masters:
            known = ", ".join(sorted(found.masters))
            raise ArtifactError(f"{folder}: no master {master!r} was trained.", hint=f"There are: {known}.")
        own = found.masters.get(master)
        return cls(
            found.before,
            found.after,
            found.slot,
            found.end,
            found.most_tokens,
            own.temperature if own and own.metrics else None,
            own.threshold if own else 0.0,
            own.abstains if own else False,
            _special_tokens(folder / found.base / "tokenizer.json")
            | {found.spelling(token) for token in (own.neighbours.values() if own else ())},
        )

    def spelling(self, token: FunctionalToken) -> str:
        """What the model calls a token of the spec."""
        return self.end if token == END_TOKEN else self.slot.replace("{slot}", str(parse_token(token)))

    def harmless(self, query: str) -> str:
        """The query with what a server would read as control tokens spaced out."""
        return break_up(defuse(query), {*self.controls, self.end})


def _special_tokens(path: Path) -> frozenset[str]:
    """What a `tokenizer.json` calls special; nothing where there is none, for the base may be elsewhere."""
    if not path.is_file():
        return frozenset()
    try:
        added = json.loads(path.read_text(encoding="utf-8")).get("added_tokens", [])
        return frozenset(token["content"] for token in added if token["special"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path}: cannot be used ({error}).") from error
