"""Draft again in the light of what was said of the last draft: basic reflection, and Reflexion.

Sources: Self-Refine (Madaan et al. 2023, arXiv 2303.17651), feedback on the draft, then a draft in the light
of the feedback, until the feedback has nothing left to say; without a verifier, its gain rests on the critic.
Reflexion (Shinn et al. 2023, arXiv 2303.11366, algorithm 1): the actor drafts, the evaluator (a tool, a
schema, a model) scores the trial, the self-reflection model turns a failure and its evidence into words, and
at most three of these stay in memory for the next trial. With a `Memory`, lessons of earlier runs do too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.reflection.loop import Step
from agents.reflection.steps import Steps
from agents.reflection.types import ReflectionState, Update

_NEXT = {"recall": "draft", "draft": "verify", "verify": "reflect", "reflect": "draft"}


@dataclass(frozen=True, slots=True)
class Basic(Steps):
    """Take turns: draft → critique → draft → ..., until the critic agrees."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"draft": self.draft, "critique": self.critique}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Alternate between the steps, which give the reason to stop."""
        return "critique" if done == "draft" else "draft"


@dataclass(frozen=True, slots=True)
class Reflexion(Steps):
    """Learn from trials: recall → draft → verify → reflect → draft → ..., until a draft passes."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"recall": self._recall, "draft": self.draft, "verify": self.verify, "reflect": self.reflect}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Cycle through the steps, which give the reason to stop."""
        return "recall" if done is None else _NEXT[done]

    async def _recall(self, state: ReflectionState) -> Update:
        if self.parts.memory is None:
            return {}
        return {"lessons": [*await self.parts.memory.recall(state["question"])]}
