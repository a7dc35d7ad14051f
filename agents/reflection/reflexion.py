"""Reflexion: trials that learn from verbal memory.

Source: Shinn et al. 2023, arXiv 2303.11366, algorithm 1: the actor drafts, the evaluator (a tool, a schema, a
model) scores the trial, the self-reflection model turns a failure and its evidence into words, and these stay
in memory, at most three of them, for the next trial. With a `Memory` the lessons of earlier runs are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.reflection.budget import Budget
from agents.reflection.loop import Step
from agents.reflection.steps import Steps
from agents.reflection.types import Parts, ReflectionState, Update

_NEXT = {"recall": "draft", "draft": "verify", "verify": "reflect", "reflect": "draft"}


@dataclass(frozen=True, slots=True)
class Reflexion:
    """recall → draft → verify → reflect → draft → ..., until the verifier passes a draft."""

    parts: Parts
    budget: Budget

    @property
    def steps(self) -> Mapping[str, Step]:
        """Its steps by name."""
        steps = Steps(self.parts, self.budget)
        return {
            "recall": self._recall,
            "draft": steps.draft,
            "verify": steps.verify,
            "reflect": steps.reflect,
        }

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """In a circle; the reason to stop comes from the steps."""
        return "recall" if done is None else _NEXT[done]

    async def _recall(self, state: ReflectionState) -> Update:
        if self.parts.memory is None:
            return {}
        return {"lessons": [*await self.parts.memory.recall(state["question"])]}
