"""Choose among a worker's own functions by functional token, from their docstrings and examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.octopus.calibration import softmax
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.tokens import slot_token
from agents.types import Choice, NodeName
from tools.declaration import ToolFunction

BuildHead = Callable[[Sequence[Candidate]], ZeroShotHead]


@dataclass
class EncoderChooser:
    """Ranks functions with the shared encoder.

    Attributes:
        functions: the worker's functions; the k-th has the token `<nexa_k>`.
        encoder: shared with the Octopus.
        build_head: embeds the functions, or takes them from a cache.
    """

    functions: Sequence[ToolFunction]
    encoder: Encoder
    build_head: BuildHead

    @cached_property
    def _head(self) -> ZeroShotHead:
        return self.build_head([Candidate(one.name, one.description, one.examples) for one in self.functions])

    def rank(self, query: str) -> Sequence[Choice]:
        """All functions, best first."""
        probabilities = softmax(self._head.scores(query, self.encoder.embed([query])[0]).logits)
        order = np.argsort(-probabilities, kind="stable")
        return [
            Choice(slot_token(int(k)), NodeName(self.functions[k].name), float(probabilities[k]))
            for k in order
        ]
